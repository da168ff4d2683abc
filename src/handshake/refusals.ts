/** Log lines that strangers can cause: so many in a while of each kind, and then how many there were. */
import type { Logger } from 'pino'

const WHILE_MS = 10_000
const LINES = 10

export class Refusals {
  readonly #log: Pick<Logger, 'info' | 'warn'>
  readonly #now: () => number
  readonly #kinds = new Map<string, { since: number; lines: number; unsaid: number }>()

  constructor(log: Pick<Logger, 'info' | 'warn'>, now = () => performance.now()) {
    this.#log = log
    this.#now = now
  }

  /**
   * @param kind one of a few: an error's code, never a stranger's words
   * @param facts of this one, where its line is written
   */
  say(kind: string, message: string, facts: object = {}, level: 'info' | 'warn' = 'info'): void {
    const now = this.#now()
    const key = `${message}: ${kind}`
    const known = this.#kinds.get(key)
    const recent =
      known && now - known.since < WHILE_MS ? known : { since: now, lines: 0, unsaid: known?.unsaid ?? 0 }
    this.#kinds.set(key, recent)
    if (recent.lines >= LINES) {
      recent.unsaid++
      return
    }
    recent.lines++
    this.#log[level]({ code: kind, ...facts, ...(recent.unsaid > 0 && { unsaid: recent.unsaid }) }, message)
    recent.unsaid = 0
  }
}
