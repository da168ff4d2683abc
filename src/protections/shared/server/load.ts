/** How long whoever wants something of this process waits until its thread is free. */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'

/** Of the timer that measures, and of what counts as lately; milliseconds. */
const RESOLUTION_MS = 10
const LATELY_MS = 5000
/** Fits four digits. */
const MOST_MS = 9999

export class Load {
  readonly #delays: IntervalHistogram
  readonly #timer: ReturnType<typeof setInterval>

  constructor() {
    this.#delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    this.#delays.enable()
    this.#timer = setInterval(() => this.#delays.reset(), LATELY_MS)
    this.#timer.unref()
  }

  /** The median of late, in milliseconds, as four digits: how busy the server is shows in no length. */
  get delay(): string {
    const ms = this.#delays.count > 0 ? this.#delays.percentile(50) / 1e6 - RESOLUTION_MS : 0
    return String(Math.min(MOST_MS, Math.max(0, Math.round(ms)))).padStart(4, '0')
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#delays.disable()
  }
}
