import { SessionError } from '../../../handshake/errors.ts'

/** Runs so many at once, in the order that they came in, and lets so many wait. */
export class Turns {
  #free: number
  readonly #places: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number, places: number) {
    this.#free = count
    this.#places = places
  }

  /** Rejects with `SessionError` `busy` where too many wait already. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else if (this.#waiting.length < this.#places)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else throw new SessionError('busy', 'Too many ask for evidence of the enclave at once.')
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
