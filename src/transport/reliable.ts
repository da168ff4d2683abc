/** What all reliable links share: numbering, windows, counters, closing. Subclasses move frames. */
import type { Budget } from './budget.ts'
import { isLinkErrorCode, type LinkEnd, LinkError, toLinkError } from './errors.ts'
import { encodeFrame, type Frame, FrameType } from './frame.ts'
import { limits } from './limits.ts'
import { type Link, type LinkKind, newTraffic } from './link.ts'
import { Queue } from './queue.ts'
import { Incoming, Outgoing } from './stream.ts'

/** Random bytes that name a link. */
export const TOKEN_BYTES = 16

const EMPTY = new Uint8Array(0)

/**
 * A link whose messages are numbered frames: what the peer has not acknowledged is kept, and sent again with
 * identical bytes over whatever connection there is next.
 */
export abstract class ReliableLink implements Link {
  abstract readonly kind: LinkKind
  readonly traffic = newTraffic()
  protected readonly outgoing = new Outgoing()
  protected readonly incoming = new Incoming()
  protected readonly inbox = new Queue()
  /** Why the link ended, once it has. */
  protected ended: LinkError | undefined
  readonly #endListeners: ((error: LinkError) => void)[] = []
  readonly #greetListeners: (() => void)[] = []
  #budget: Budget | undefined
  #isStranger = false

  /** There are new frames in `outgoing`. */
  protected abstract transmit(reply: boolean): void
  /** Releases sockets and timers; `farewell` is a close frame that should still go out if it can. */
  protected abstract release(farewell: Uint8Array): void

  /** Rejects with `LinkError`: `oversized` and `overflow`, or why the link has ended. */
  async send(message: Uint8Array, reply: boolean): Promise<void> {
    if (this.ended) throw this.ended
    this.outgoing.push(message, reply, this.acknowledgement())
    this.traffic.sentMessages++
    this.traffic.sentPayloadBytes += message.length
    this.transmit(reply)
    await this.outgoing.room()
  }

  /** Messages that arrived before the end are still had after it. */
  receive(): Promise<Uint8Array> {
    const message = this.inbox.next()
    this.#charge()
    return message
  }

  /** Strangers introduce themselves first, in a message of no more than `bytes`, and have to be `greeted`. */
  expectGreeting(bytes: number): void {
    this.incoming.limit = bytes
    this.#isStranger = true
  }

  /** Whether the peer has said who it is, where it has to. */
  get isGreeted(): boolean {
    return !this.#isStranger
  }

  greeted(): void {
    if (!this.#isStranger) return
    this.#isStranger = false
    for (const listener of this.#greetListeners.splice(0)) listener()
  }

  /** Called once when the peer has been `greeted`, at once where it need not be. */
  onGreeted(listener: () => void): void {
    if (this.#isStranger) this.#greetListeners.push(listener)
    else listener()
  }

  /** Charges `budget` for what this link holds; closes it when the link ends. */
  chargeTo(budget: Budget): void {
    this.#budget = budget
    this.onEnd(() => budget.close())
  }

  get budget(): Budget | undefined {
    return this.#budget
  }

  /** Lets more be under way than usual, where this end can hold it. */
  widen(bytes: number): void {
    this.outgoing.window = bytes
  }

  /** Does not wait for the peer: the close frame leaves if it can. */
  async close(reason = 'The conversation ended.', code: LinkEnd = 'closed'): Promise<void> {
    this.fail(new LinkError(code, reason))
  }

  /** Ends the link with a typed error at both sides. */
  fail(error: LinkError): void {
    if (this.ended) return
    this.ended = error
    this.outgoing.fail(error)
    this.inbox.end(error)
    this.release(this.controlFrame(FrameType.close, closePayload(error)))
    for (const listener of this.#endListeners.splice(0)) listener(error)
  }

  /** Called once when the link ends, for whatever reason. */
  onEnd(listener: (error: LinkError) => void): void {
    if (this.ended) listener(this.ended)
    else this.#endListeners.push(listener)
  }

  /** Applies a checked frame; returns whether it completed a message. Throws `LinkError`. */
  protected apply(frame: Frame): boolean {
    this.outgoing.acknowledge(frame.ack)
    if (frame.type === FrameType.close) {
      this.fail(readClose(frame.payload))
      return false
    }
    if (frame.type === FrameType.data) {
      const done = this.incoming.accept(frame)
      if (!done) {
        this.#charge()
        return false
      }
      this.traffic.receivedMessages++
      this.traffic.receivedPayloadBytes += done.message.length
      this.inbox.push(done.message)
      // Acknowledgements stop at `inboxBytes`; only a peer that ignores its window sends this much after that.
      if (this.inbox.cost > limits.inboxBytes + limits.windowBytes + 2 * limits.messageBytes)
        this.fail(new LinkError('overflow', 'The other side sends without waiting for acknowledgements.'))
      this.#charge()
      return true
    }
    // Every other frame names the last data frame of its sender: one that we lack was lost and nothing follows it.
    if (frame.seq > this.incoming.last) throw new LinkError('gap', 'The last message was lost on the way.')
    return false
  }

  /** Ends the link where it holds more than its peer, or the peer's address, may have here. */
  #charge(): void {
    if (this.ended) return
    const held = this.incoming.held + this.inbox.cost
    try {
      if (this.#isStranger && held > limits.strangerBytes)
        throw new LinkError('overflow', 'The other side sends much without introducing itself.')
      this.#budget?.hold(held)
    } catch (error) {
      this.fail(toLinkError(error))
    }
  }

  /** What we admit to have received: nothing new while our own inbox is full, which stops the peer's window. */
  protected acknowledgement(): number {
    if (this.inbox.cost <= limits.inboxBytes) this.#admitted = this.incoming.last
    return this.#admitted
  }
  #admitted = 0

  /** The last data frame that was really handed to the network. */
  protected abstract get lastSent(): number

  protected controlFrame(type: number, payload: Uint8Array = EMPTY): Uint8Array {
    return encodeFrame({ type, flags: 0, seq: this.lastSent, ack: this.acknowledgement(), payload })
  }

  /** A frame of the handshake tells all that we have, so that nothing is resent needlessly. */
  protected greeting(type: number, payload: Uint8Array = EMPTY, flags = 0): Uint8Array {
    return encodeFrame({ type, flags, seq: 0, ack: this.incoming.last, payload })
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Code and message of an error, for a close frame; no more than 500 characters of it. */
export const closePayload = (error: LinkError): Uint8Array =>
  encoder.encode(JSON.stringify({ code: error.code, message: error.message.slice(0, 500) }))

/** A close frame that belongs to no link: an answer to a stranger. */
export const refusalFrame = (error: LinkError): Uint8Array =>
  encodeFrame({ type: FrameType.close, flags: 0, seq: 0, ack: 0, payload: closePayload(error) })

/**
 * What a peer closed with; `closed` where that is unreadable. Never throws: a close frame ends the link in
 * any case.
 */
export function readClose(payload: Uint8Array): LinkError {
  try {
    const { code, message } = JSON.parse(decoder.decode(payload)) as { code?: unknown; message?: unknown }
    return LinkError.quote(
      isLinkErrorCode(code) ? code : 'closed',
      typeof message === 'string' ? message : 'The other side ended the connection.',
    )
  } catch {
    return new LinkError('closed', 'The other side ended the connection.')
  }
}
