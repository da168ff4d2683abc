/** How far work is that takes longer than a moment, and how long it may still take. */

/** What to say of it. */
export interface Pace {
  readonly percent: number
  readonly secondsLeft: number
}

const FIRST_MS = 1000

/** Of one piece of work: silent for its first second, and then for `everyMs` after each time that something was said. */
export class Estimate {
  readonly #everyMs: number
  readonly #now: () => number
  readonly #started: number
  #next: number

  constructor(everyMs: number, now: () => number = () => performance.now()) {
    this.#everyMs = everyMs
    this.#now = now
    this.#started = now()
    this.#next = this.#started + FIRST_MS
  }

  /** At `done` of `total`; nothing while it is too early to say anything, or when all is done. */
  at(done: number, total: number): Pace | undefined {
    const now = this.#now()
    if (now < this.#next || done <= 0 || done >= total) return undefined
    this.#next = now + this.#everyMs
    const secondsLeft = Math.ceil(((now - this.#started) / 1000) * ((total - done) / done))
    return { percent: Math.floor((100 * done) / total), secondsLeft }
  }
}

/** Seconds in words. */
export const spokenTime = (seconds: number): string =>
  seconds < 90
    ? `${seconds} s`
    : seconds < 5400
      ? `${Math.round(seconds / 60)} min`
      : `${Math.round(seconds / 3600)} h`

/** As a person reads it behind what is done. */
export const spokenPace = ({ percent, secondsLeft }: Pace): string =>
  `${percent} %, ${spokenTime(secondsLeft)} left`
