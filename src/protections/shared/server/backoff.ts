/** How long to wait before connecting again: longer each time, until a connection has lasted. */

const FIRST_MS = 200
const MOST_MS = 5000
/** A connection that ends sooner was no success: whoever accepts it and hangs up would be asked for ever in a hurry. */
const STABLE_MS = 10_000

export class Backoff {
  readonly #now: () => number
  #wait = FIRST_MS
  #since: number | undefined

  constructor(now = () => performance.now()) {
    this.#now = now
  }

  connected(): void {
    this.#since = this.#now()
  }

  /** The connection, if there was one, has ended: milliseconds until the next one. */
  next(): number {
    if (this.#since !== undefined && this.#now() - this.#since >= STABLE_MS) this.#wait = FIRST_MS
    this.#since = undefined
    const wait = this.#wait
    this.#wait = Math.min(MOST_MS, 2 * wait)
    return wait
  }
}
