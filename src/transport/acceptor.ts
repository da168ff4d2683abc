/** The answering side: recognises links by their token, makes new ones, and lets broken ones resume. */
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js'
import type { Carrier } from './carrier.ts'
import { LinkError, toLinkError } from './errors.ts'
import { FetchServerLink } from './fetch-server.ts'
import { decodeFrame, type Frame, FrameFlag, FrameType, splitFrames } from './frame.ts'
import { limits } from './limits.ts'
import type { Link, LinkKind } from './link.ts'
import { type ReliableLink, refusalFrame, TOKEN_BYTES } from './reliable.ts'
import { StreamLink, type StreamTimes } from './stream-link.ts'

/** What links may take of a server, in all and for one peer; bytes, and times in milliseconds. */
export interface AcceptorOptions {
  /** A new link; `peer` is the remote address as the server sees it. */
  onLink(link: Link, peer: string): void
  maxLinks?: number
  maxLinksPerPeer?: number
  /** Largest first message of a link, by which a peer introduces itself. */
  firstBytes?: number
  /** What a link may have under way; see `limits.windowBytes`. */
  windowBytes?: number
  times?: Partial<StreamTimes>
  /** Silence after which a fetch link is given up. */
  fetchIdleMs?: number
}

/**
 * Owns the links of a server. Whoever opens one draws its token (16 random bytes), by which it is found
 * again: it tells links apart and authenticates nobody.
 */
export class Acceptor {
  readonly #links = new Map<string, { link: ReliableLink; peer: string }>()
  readonly #options: Required<AcceptorOptions>

  constructor({
    onLink,
    maxLinks = 256,
    maxLinksPerPeer = 32,
    firstBytes = limits.messageBytes,
    windowBytes = limits.windowBytes,
    times = {},
    fetchIdleMs = limits.fetchIdleMs,
  }: AcceptorOptions) {
    this.#options = { onLink, maxLinks, maxLinksPerPeer, firstBytes, windowBytes, times, fetchIdleMs }
  }

  /** Links that are open, those between two connections included. */
  get size(): number {
    return this.#links.size
  }

  /** A socket was opened by `peer`. Its first frame says which link it belongs to. */
  accept(carrier: Carrier, kind: LinkKind, peer: string): void {
    let link: StreamLink | undefined
    const timer = setTimeout(() => carrier.close(), limits.handshakeMs)
    carrier.listen({
      frame: (bytes) => {
        if (link) return link.handle(carrier, bytes)
        clearTimeout(timer)
        try {
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
        } catch (error) {
          refuse(carrier, toLinkError(error, 'malformed'))
        }
      },
      end: (reason) => {
        clearTimeout(timer)
        link?.lose(carrier, reason)
      },
    })
  }

  /** One POST of a fetch link. Always resolves with frames; refusals are close frames. */
  async post(body: Uint8Array, peer: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    try {
      const [head, ...rest] = splitFrames(body)
      if (!head) throw new LinkError('malformed', 'The request was empty.')
      const frame = decodeFrame(head)
      const link = this.#find(frame, peer, () => new FetchServerLink(this.#options.fetchIdleMs))
      if (!(link instanceof FetchServerLink))
        throw new LinkError('malformed', 'This link uses another kind of connection.')
      return await link.exchange(frame, rest, body.length, signal)
    } catch (error) {
      return concatBytes(refusalFrame(toLinkError(error, 'malformed')))
    }
  }

  /** Knows no link any more, as after a restart; for tests. */
  forget(): void {
    this.#links.clear()
  }

  /** Ends every link. */
  close(reason = 'The server is shutting down.'): void {
    for (const { link } of [...this.#links.values()]) link.fail(new LinkError('closed', reason))
  }

  #find(frame: Frame, peer: string, make: () => ReliableLink): ReliableLink {
    if (frame.type !== FrameType.open || frame.payload.length !== TOKEN_BYTES) {
      throw new LinkError('malformed', 'A connection did not start with an opening frame.')
    }
    const token = bytesToHex(frame.payload)
    const known = this.#links.get(token)
    if (known) return known.link
    if (frame.flags & FrameFlag.resume)
      throw new LinkError('unknown-link', 'The connection to resume is not known here.')
    this.#admit(peer)
    const link = make()
    link.limitFirst(this.#options.firstBytes)
    link.widen(this.#options.windowBytes)
    this.#links.set(token, { link, peer })
    link.onEnd(() => this.#links.delete(token))
    queueMicrotask(() => this.#options.onLink(link, peer))
    return link
  }

  #admit(peer: string): void {
    if (this.#links.size >= this.#options.maxLinks)
      throw new LinkError('refused', 'The server has no free connections.')
    let own = 0
    for (const other of this.#links.values()) if (other.peer === peer) own++
    if (own >= this.#options.maxLinksPerPeer)
      throw new LinkError('refused', 'Too many connections from this address.')
  }
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
