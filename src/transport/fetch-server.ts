/** The server's end of a fetch link: every POST brings frames and takes the frames that wait. */
import { concatBytes } from '@noble/hashes/utils.js'
import { LinkError, toLinkError } from './errors.ts'
import { decodeFrame, type Frame, FrameFlag, FrameType } from './frame.ts'
import { limits } from './limits.ts'
import { ReliableLink, refusalFrame } from './reliable.ts'

/**
 * Holds a POST that waits for a message until there is one, or until `limits.pollMs` is over; answers it then
 * with all frames that the owner has not acknowledged.
 */
export class FetchServerLink extends ReliableLink {
  readonly kind = 'fetch' as const
  /** Answers the POST that is being held, if one is. */
  #answer: (() => void) | undefined
  #answerTimer: ReturnType<typeof setTimeout> | undefined
  #idleTimer: ReturnType<typeof setTimeout> | undefined
  readonly #idleMs: number
  #open = 0

  constructor(idleMs: number = limits.fetchIdleMs) {
    super()
    this.#idleMs = idleMs
  }

  protected override get lastSent(): number {
    return this.outgoing.last
  }

  /**
   * Takes the frames of one POST, as they come, and resolves with the response: `welcome`, then the frames that the peer
   * lacks, as many as one body may have.
   * With the flag `wait` it is held until there is a message, a newer POST arrives, or the poll time is over.
   * Throws `LinkError` on damage, which the peer cures by posting the same bytes again.
   */
  async exchange(
    head: Frame,
    frames: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    this.#open++
    clearTimeout(this.#idleTimer)
    try {
      this.#answer?.()
      this.outgoing.acknowledge(head.ack)
      for await (const bytes of frames) {
        this.traffic.receivedBytes += bytes.length
        this.apply(decodeFrame(bytes))
        if (this.ended) break
      }
      if (head.flags & FrameFlag.wait && !this.ended && !this.#ready(head.ack)) await this.#hold(signal)
      return this.#respond(head.ack)
    } finally {
      if (--this.#open === 0) this.#watchIdle()
    }
  }

  #ready(peerHas: number): boolean {
    return this.outgoing.last > peerHas && this.#answerTimer === undefined
  }

  #hold(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => answer(), limits.pollMs)
      const answer = () => {
        clearTimeout(timer)
        if (this.#answer === answer) this.#answer = undefined
        resolve()
      }
      this.#answer = answer
      signal?.addEventListener('abort', answer, { once: true })
    })
  }

  #respond(peerHas: number): Uint8Array<ArrayBuffer> {
    const parts = this.ended ? [refusalFrame(this.ended)] : []
    if (!this.ended) parts.push(this.greeting(FrameType.welcome), ...this.outgoing.batchAfter(peerHas).frames)
    const body = concatBytes(...parts)
    this.traffic.sentBytes += body.length
    return body
  }

  /** A message that wants an answer closes the turn; others may have company, which is worth a moment's wait. */
  protected override transmit(reply: boolean): void {
    clearTimeout(this.#answerTimer)
    this.#answerTimer = setTimeout(
      () => {
        this.#answerTimer = undefined
        this.#answer?.()
      },
      reply ? 0 : limits.answerMs,
    )
  }

  /** A live peer posts at least its signs of life. */
  #watchIdle(): void {
    if (this.ended) return
    this.#idleTimer = setTimeout(
      () => this.fail(new LinkError('lost', 'The other side fell silent.')),
      this.#idleMs,
    )
    this.#idleTimer.unref?.()
  }

  protected override release(): void {
    clearTimeout(this.#answerTimer)
    clearTimeout(this.#idleTimer)
    this.#answer?.()
  }

  override fail(error: LinkError): void {
    super.fail(toLinkError(error))
  }
}
