/** What a person at the terminal sees of a batch: one line that changes, or a new one now and then. */
import { spokenTime } from '../../model/estimate.ts'
import { say, status } from '../terminal.ts'

/** Between lines where a line cannot be changed. */
const every = 10_000

export class BatchProgress {
  readonly #total: number
  readonly #has: { says: boolean; counts: boolean }
  readonly #started = performance.now()
  readonly #first: number
  #shown = 0

  /**
   * @param done rows that were there already.
   * @param has whether anything but warnings is said, and whether that includes the count.
   */
  constructor(total: number, done: number, has: { says: boolean; counts: boolean }) {
    this.#total = total
    this.#first = done
    this.#has = has
  }

  /** Says something that stays. */
  say(text: string): void {
    if (this.#has.says) this.warn(text)
  }

  /** Says something that even programs should pass on. */
  warn(text: string): void {
    say(text)
  }

  /** Says how far it is. */
  at(done: number): void {
    const now = performance.now()
    const isLine = process.stderr.isTTY
    if (!this.#has.says || !this.#has.counts || now - this.#shown < (isLine ? 100 : every)) return
    this.#shown = now
    const perSecond = (done - this.#first) / ((now - this.#started) / 1000)
    const left = Math.round((this.#total - done) / perSecond)
    const pace =
      done > this.#first ? `, ${perSecond.toFixed(1)} texts a second, ${spokenTime(left)} left` : ''
    const text = `${done} of ${this.#total} texts${pace}`
    if (isLine) status(text)
    else say(text)
  }
}
