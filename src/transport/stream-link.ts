/** A reliable link over sockets (WebSocket, data channel, in-process), which may break and be replaced. */
import type { Carrier } from './carrier.ts'
import { isDamage, LinkError, toLinkError } from './errors.ts'
import { decodeFrame, type Frame, FrameType } from './frame.ts'
import { limits } from './limits.ts'
import type { LinkKind } from './link.ts'
import { ReliableLink } from './reliable.ts'

/**
 * Milliseconds: `resumeMs` without a connection end a link, after `pingMs` of silence the dialling side asks,
 * after `silenceMs` it connects anew, and `handshakeMs` bounds each handshake.
 */
export interface StreamTimes {
  resumeMs: number
  pingMs: number
  silenceMs: number
  handshakeMs: number
}

/**
 * Sends frames as fast as the socket takes them, acknowledges every `limits.ackBytes`, and goes on over a new
 * socket where the old one breaks.
 */
export class StreamLink extends ReliableLink {
  readonly kind: LinkKind
  protected readonly times: StreamTimes
  /** Times that a broken connection was replaced. */
  resumes = 0
  protected lastHeard = 0
  #carrier: Carrier | undefined
  #transmitted = 0
  #pumping = false
  #unackedBytes = 0
  #ackTimer: ReturnType<typeof setTimeout> | undefined
  #resumeTimer: ReturnType<typeof setTimeout> | undefined
  #recoveries = 0

  constructor(kind: LinkKind, times: Partial<StreamTimes> = {}) {
    super()
    this.kind = kind
    this.times = { ...limits, ...times }
  }

  protected override get lastSent(): number {
    return this.#transmitted
  }

  /** The answer to a dialling side that opened or resumed this link. */
  welcome(): Uint8Array {
    return this.greeting(FrameType.welcome)
  }

  /** Whether there is a socket at the moment. */
  get isConnected(): boolean {
    return this.#carrier !== undefined
  }

  /**
   * Goes on over `carrier`, whose handshake is done: resends what the peer, having received up to `peerHas`, lacks.
   * The caller forwards the carrier's events to `handle` and `lose`.
   */
  attach(carrier: Carrier, peerHas: number): void {
    if (this.ended) {
      carrier.close()
      return
    }
    const previous = this.#carrier
    this.#carrier = carrier
    previous?.close()
    clearTimeout(this.#resumeTimer)
    this.lastHeard = Date.now()
    try {
      this.outgoing.acknowledge(peerHas)
    } catch (error) {
      this.fail(toLinkError(error))
      return
    }
    this.#transmitted = peerHas
    void this.#pump()
  }

  /** One frame arrived on `carrier`. */
  handle(carrier: Carrier, bytes: Uint8Array): void {
    if (carrier !== this.#carrier) return
    this.traffic.receivedBytes += bytes.length
    this.lastHeard = Date.now()
    let frame: Frame
    try {
      frame = decodeFrame(bytes)
      if (this.apply(frame)) this.#recoveries = 0
    } catch (error) {
      this.#damaged(carrier, toLinkError(error))
      return
    }
    if (frame.type === FrameType.ping) this.write(this.controlFrame(FrameType.ack))
    if (frame.type === FrameType.data) this.#scheduleAck(bytes.length)
  }

  /** `carrier` broke. Without another one in time, the link is lost. */
  lose(carrier: Carrier, reason: string): void {
    if (carrier !== this.#carrier || this.ended) return
    this.#carrier = undefined
    this.#resumeTimer = setTimeout(
      () => this.fail(new LinkError('lost', `The connection was lost and could not be resumed: ${reason}`)),
      this.times.resumeMs,
    )
    this.disconnected()
  }

  /** Rejects with `LinkError`, after the last message, once the link has ended. */
  override receive(): Promise<Uint8Array> {
    const message = super.receive()
    // Acknowledgements held back by a full inbox go out as it empties.
    if (this.#unackedBytes > limits.ackBytes) this.#acknowledge()
    return message
  }

  /** Hook of the dialling side. */
  protected disconnected(): void {}

  protected ping(): void {
    this.write(this.controlFrame(FrameType.ping))
  }

  protected dropCarrier(reason: string): void {
    const carrier = this.#carrier
    if (!carrier) return
    this.lose(carrier, reason)
    carrier.close()
  }

  /** Damage on the way is cured by a new connection and a resend of identical bytes; if it goes on, the link ends. */
  #damaged(carrier: Carrier, error: LinkError): void {
    if (!isDamage(error) || ++this.#recoveries > limits.recoveries) {
      this.fail(error)
      return
    }
    this.lose(carrier, error.message)
    carrier.close()
  }

  protected override transmit(): void {
    this.#unackedBytes = 0
    void this.#pump()
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    try {
      for (;;) {
        const carrier = this.#carrier
        const next = this.outgoing.after(this.#transmitted)
        if (!carrier || !next) return
        if (carrier.buffered > limits.socketHighBytes) {
          await carrier.drained(limits.socketLowBytes)
          continue
        }
        this.#transmitted = next.seq
        this.write(next.bytes)
      }
    } finally {
      this.#pumping = false
    }
  }

  protected write(frame: Uint8Array): void {
    const carrier = this.#carrier
    if (!carrier) return
    try {
      carrier.send(frame)
      this.traffic.sentBytes += frame.length
    } catch (error) {
      this.lose(carrier, toLinkError(error).message)
    }
  }

  #scheduleAck(bytes: number): void {
    this.#unackedBytes += bytes
    if (this.#unackedBytes >= limits.ackBytes) this.#acknowledge()
    this.#ackTimer ??= setTimeout(() => {
      this.#ackTimer = undefined
      if (this.#unackedBytes > 0) this.#acknowledge()
    }, limits.ackMs)
  }

  #acknowledge(): void {
    if (this.inbox.cost > limits.inboxBytes) return
    this.#unackedBytes = 0
    this.write(this.controlFrame(FrameType.ack))
  }

  protected override release(farewell: Uint8Array): void {
    clearTimeout(this.#ackTimer)
    clearTimeout(this.#resumeTimer)
    this.write(farewell)
    const carrier = this.#carrier
    this.#carrier = undefined
    carrier?.close()
  }
}
