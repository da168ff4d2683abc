/** Token buckets: what may be spent in a second, and saved up for a few. */
import { limits } from './limits.ts'

/** Frames, and milliseconds of processor time. */
export interface Spent {
  readonly frames: number
  readonly cpuMs: number
}

export class Rate {
  readonly #perSecond: Spent
  readonly #now: () => number
  #frames: number
  #cpuMs: number
  #at: number

  /** @param now milliseconds of a clock that never goes back. */
  constructor(perSecond: Spent, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond
    this.#now = now
    this.#frames = perSecond.frames * limits.burstSeconds
    this.#cpuMs = perSecond.cpuMs * limits.burstSeconds
    this.#at = now()
  }

  spend({ frames, cpuMs }: Spent): void {
    this.#refill()
    this.#frames -= frames
    this.#cpuMs -= Math.min(cpuMs, frames * limits.frameCpuMs)
  }

  /** Milliseconds until nothing is owed any more. */
  get delayMs(): number {
    this.#refill()
    const seconds = Math.max(-this.#frames / this.#perSecond.frames, -this.#cpuMs / this.#perSecond.cpuMs)
    return seconds > 0 ? 1000 * seconds : 0
  }

  /** Whether nothing of what may be saved up is missing. */
  get isFull(): boolean {
    this.#refill()
    const { frames, cpuMs } = this.#perSecond
    return this.#frames >= frames * limits.burstSeconds && this.#cpuMs >= cpuMs * limits.burstSeconds
  }

  #refill(): void {
    const now = this.#now()
    const seconds = (now - this.#at) / 1000
    this.#at = now
    const { frames, cpuMs } = this.#perSecond
    this.#frames = Math.min(frames * limits.burstSeconds, this.#frames + frames * seconds)
    this.#cpuMs = Math.min(cpuMs * limits.burstSeconds, this.#cpuMs + cpuMs * seconds)
  }
}
