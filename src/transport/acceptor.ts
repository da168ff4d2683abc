/** The answering side: recognises links by their token, makes new ones, and lets broken ones resume. */
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js'
import { type Budget, Budgets } from './budget.ts'
import type { Carrier } from './carrier.ts'
import { LinkError, toLinkError } from './errors.ts'
import { FetchServerLink } from './fetch-server.ts'
import { decodeFrame, type Frame, FrameFlag, FrameType } from './frame.ts'
import { FrameReader } from './frame-reader.ts'
import { limits } from './limits.ts'
import type { Link, LinkKind } from './link.ts'
import { LinkTable } from './link-table.ts'
import { type Pace, paced } from './pace.ts'
import { readFrames } from './read-frames.ts'
import { type ReliableLink, refusalFrame, TOKEN_BYTES } from './reliable.ts'
import { StreamLink, type StreamTimes } from './stream-link.ts'

/** What links may take of a server, in all and for one peer; bytes, and times in milliseconds. */
export interface AcceptorOptions {
  /** A new link; `peer` is the remote address as the server sees it. */
  onLink(link: Link, peer: string): void
  maxLinks?: number
  maxLinksPerPeer?: number
  /**
   * Largest first message of a link, by which a peer introduces itself; until the link is `greeted`, it holds no more than
   * `limits.strangerBytes`. Where left out nobody has to.
   */
  firstBytes?: number
  /** What a link may have under way; see `limits.windowBytes`. */
  windowBytes?: number
  times?: Partial<StreamTimes>
  /** Silence after which a fetch link is given up. */
  fetchIdleMs?: number
  /** What bodies have to keep up with. */
  pace?: Pace
  /** Bytes that all links may hold, costs included. */
  heldBytes?: number
}

/**
 * Owns the links of a server. Whoever opens one draws its token (16 random bytes), by which it is found
 * again: it tells links apart and authenticates nobody.
 */
export class Acceptor {
  readonly #links: LinkTable
  readonly #budgets: Budgets
  readonly #options: AcceptorOptions

  constructor(options: AcceptorOptions) {
    const { maxLinks = 256, maxLinksPerPeer = 32, heldBytes } = options
    this.#links = new LinkTable({ maxLinks, maxLinksPerPeer })
    this.#budgets = new Budgets(heldBytes)
    this.#options = options
  }

  /** Links that are open, those between two connections included. */
  get size(): number {
    return this.#links.size
  }

  /** Bytes that links hold of what their peers sent, costs included. */
  get held(): number {
    return this.#budgets.held
  }

  /** A socket was opened by `peer`. Its first frame says which link it belongs to. */
  accept(carrier: Carrier, kind: LinkKind, peer: string): void {
    let link: StreamLink | undefined
    const budget = this.#budgets.open(peer)
    const timer = setTimeout(() => carrier.close(), limits.handshakeMs)
    try {
      budget.hold(limits.requestCost)
    } catch (error) {
      refuse(carrier, toLinkError(error))
    }
    const begin = (bytes: Uint8Array): void => {
      clearTimeout(timer)
      const frame = decodeFrame(bytes)
      const found = this.#find(frame, peer, () => new StreamLink(kind, this.#options.times))
      if (!(found instanceof StreamLink))
        throw new LinkError('malformed', 'This link uses another kind of connection.')
      link = found
      link.traffic.receivedBytes += bytes.length
      const welcome = link.welcome()
      carrier.send(welcome)
      link.traffic.sentBytes += welcome.length
      link.attach(carrier, frame.ack)
    }
    carrier.listen({
      frame: (bytes) => {
        const begun = performance.now()
        try {
          if (link) link.handle(carrier, bytes)
          else begin(bytes)
        } catch (error) {
          refuse(carrier, toLinkError(error, 'malformed'))
        }
        const payer = link?.budget ?? budget
        payer.spend({ frames: 1, cpuMs: performance.now() - begun })
        slowDown(carrier, payer, link)
      },
      end: (reason) => {
        clearTimeout(timer)
        budget.close()
        link?.lose(carrier, reason)
      },
    })
  }

  /**
   * One POST of a fetch link, read as it comes. Always resolves with frames; refusals are close frames. Before its link has
   * been greeted it takes only what an introduction needs.
   */
  async post(
    body: AsyncIterable<Uint8Array>,
    peer: string,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const budget = this.#budgets.open(peer)
    const reader = new FrameReader(limits.strangerBytes)
    const frames = readFrames(paced(body, this.#options.pace), reader, budget)
    try {
      budget.hold(limits.requestCost)
      const head = await frames.next()
      if (head.done) throw new LinkError('malformed', 'The request was empty.')
      const frame = decodeFrame(head.value)
      const link = this.#find(frame, peer, () => new FetchServerLink(this.#options.fetchIdleMs))
      if (!(link instanceof FetchServerLink))
        throw new LinkError('malformed', 'This link uses another kind of connection.')
      if (link.isGreeted) reader.limit = limits.postBytes
      link.traffic.receivedBytes += head.value.length
      return await link.exchange(frame, frames, signal)
    } catch (error) {
      return concatBytes(refusalFrame(toLinkError(error, 'malformed')))
    } finally {
      void frames.return().catch(() => undefined)
      budget.close()
    }
  }

  /** Knows no link any more, as after a restart; for tests. */
  forget(): void {
    this.#links.clear()
  }

  /** Ends every link. */
  close(reason = 'The server is shutting down.'): void {
    for (const link of this.#links.all) link.fail(new LinkError('closed', reason))
  }

  #find(frame: Frame, peer: string, make: () => ReliableLink): ReliableLink {
    if (frame.type !== FrameType.open || frame.payload.length !== TOKEN_BYTES) {
      throw new LinkError('malformed', 'A connection did not start with an opening frame.')
    }
    const token = bytesToHex(frame.payload)
    const known = this.#links.get(token)
    if (known) return known
    if (frame.flags & FrameFlag.resume)
      throw new LinkError('unknown-link', 'The connection to resume is not known here.')
    this.#links.admit(peer)
    const { firstBytes, windowBytes = limits.windowBytes, onLink } = this.#options
    const link = make()
    if (firstBytes !== undefined) link.expectGreeting(firstBytes)
    link.widen(windowBytes)
    link.chargeTo(this.#budgets.open(peer))
    this.#links.add(token, link, peer)
    queueMicrotask(() => onLink(link, peer))
    return link
  }
}

/** A peer that owes time is not read from for so long; one that cannot be stopped is sent away when it owes too much. */
function slowDown(carrier: Carrier, budget: Budget, link: StreamLink | undefined): void {
  const { delayMs } = budget
  if (delayMs === 0) return
  if (carrier.pause) {
    carrier.pause()
    setTimeout(() => carrier.resume?.(), delayMs)
  } else if (delayMs > 1000 * limits.burstSeconds)
    link?.fail(new LinkError('overflow', 'The other side sends more than can be read.'))
}

/** Says why and hangs up; a stranger who has gone already is told nothing. */
function refuse(carrier: Carrier, error: LinkError): void {
  try {
    carrier.send(refusalFrame(error))
  } catch {
    // The socket has closed: there is nobody to tell.
  }
  carrier.close()
}
