/** The dialling side of a stream link: opens it, watches it, and reconnects with the same token. */
import type { Dial } from './carrier.ts'
import { isTransient, LinkError, toLinkError } from './errors.ts'
import { decodeFrame, FrameFlag, FrameType } from './frame.ts'
import type { LinkKind } from './link.ts'
import { readClose, TOKEN_BYTES } from './reliable.ts'
import { StreamLink, type StreamTimes } from './stream-link.ts'
import { withTimeout } from './timeout.ts'

/** Opens a link. Rejects with `LinkError` when the first connection fails. */
export async function dialLink(
  kind: LinkKind,
  dial: Dial,
  times: Partial<StreamTimes> = {},
): Promise<StreamLink> {
  const link = new DialledLink(kind, dial, times)
  await link.start()
  return link
}

class DialledLink extends StreamLink {
  readonly #token = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES))
  readonly #dial: Dial
  #watch: ReturnType<typeof setInterval> | undefined
  #reconnecting = false

  constructor(kind: LinkKind, dial: Dial, times: Partial<StreamTimes>) {
    super(kind, times)
    this.#dial = dial
  }

  async start(): Promise<void> {
    try {
      await this.#connect(false)
    } catch (error) {
      const typed = toLinkError(error)
      this.fail(typed)
      throw typed
    }
    this.#watch = setInterval(() => this.#checkSilence(), Math.max(20, this.times.pingMs / 4))
    if (typeof this.#watch === 'object') this.#watch.unref?.()
  }

  /** Asks after a silence while an answer is due; gives the connection up after a longer one. */
  #checkSilence(): void {
    if (!this.isConnected) return
    const silence = performance.now() - this.lastHeard
    if (silence > this.times.silenceMs) this.dropCarrier('The other side fell silent.')
    else if (silence > this.times.pingMs) this.ping()
  }

  async #connect(resume: boolean): Promise<void> {
    const carrier = await withTimeout(this.#dial(), this.times.handshakeMs, (late) => late.close())
    const open = this.greeting(FrameType.open, this.#token, resume ? FrameFlag.resume : 0)
    await new Promise<void>((resolve, reject) => {
      let welcomed = false
      const timer = setTimeout(
        () => reject(new LinkError('timeout', 'The other side did not greet.')),
        this.times.handshakeMs,
      )
      const finish = (error?: LinkError) => {
        clearTimeout(timer)
        if (!error) return resolve()
        // Closing reports an end of its own, which must not hide the reason.
        reject(error)
        carrier.close()
      }
      carrier.listen({
        frame: (bytes) => {
          if (welcomed) return this.handle(carrier, bytes)
          this.traffic.receivedBytes += bytes.length
          try {
            const frame = decodeFrame(bytes)
            if (frame.type === FrameType.close) throw readClose(frame.payload)
            if (frame.type !== FrameType.welcome)
              throw new LinkError('malformed', 'The other side did not greet.')
            welcomed = true
            this.attach(carrier, frame.ack)
            finish()
          } catch (error) {
            finish(toLinkError(error))
          }
        },
        end: (reason) => {
          if (welcomed) this.lose(carrier, reason)
          else finish(new LinkError('lost', reason))
        },
      })
      carrier.send(open)
      this.traffic.sentBytes += open.length
    })
  }

  protected override disconnected(): void {
    if (!this.#reconnecting) void this.#reconnect()
  }

  async #reconnect(): Promise<void> {
    this.#reconnecting = true
    for (let wait = 20; !this.ended && !this.isConnected; wait = Math.min(2000, wait * 2)) {
      try {
        await this.#connect(true)
        this.resumes++
      } catch (error) {
        const typed = toLinkError(error)
        if (!isTransient(typed)) this.fail(typed)
        else await new Promise((resolve) => setTimeout(resolve, wait))
      }
    }
    this.#reconnecting = false
  }

  protected override release(farewell: Uint8Array): void {
    clearInterval(this.#watch)
    super.release(farewell)
  }
}
