import { limits } from './limits.ts'

/** How a queue tells its readers that it ended as it should. */
class Finished extends Error {}

interface Reader {
  resolve: (bytes: Uint8Array) => void
  reject: (error: Error) => void
}

/**
 * Byte arrays in their order, from those who bring them to those who wait for them. It bounds nothing by itself: who
 * brings much waits for `room`, or watches `bytes`.
 */
export class Queue implements AsyncIterable<Uint8Array> {
  readonly #items: Uint8Array[] = []
  readonly #readers: Reader[] = []
  readonly #writers: { limit: number; resolve: () => void }[] = []
  #bytes = 0
  #ended: Error | undefined

  /** Bytes that nobody has taken yet. */
  get bytes(): number {
    return this.#bytes
  }

  /** Bytes, and what each array takes besides them, which is all that an empty one takes. */
  get cost(): number {
    return this.#bytes + this.#items.length * limits.messageCost
  }

  /** Whether nothing is left to take. */
  get isEmpty(): boolean {
    return this.#items.length === 0
  }

  /** Whether somebody waits for what comes next. */
  get isAwaited(): boolean {
    return this.#readers.length > 0
  }

  /** Without effect once the queue has ended. */
  push(bytes: Uint8Array): void {
    if (this.#ended) return
    const reader = this.#readers.shift()
    if (reader) {
      reader.resolve(bytes)
    } else {
      this.#items.push(bytes)
      this.#bytes += bytes.length
    }
  }

  /** The next array. Rejects with what the queue ended with, once all that came before has been taken. */
  next(): Promise<Uint8Array> {
    const bytes = this.#items.shift()
    if (bytes) {
      this.#taken(bytes.length)
      return Promise.resolve(bytes)
    }
    if (this.#ended) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }))
  }

  /** Resolves when no more than `limit` bytes wait, or the queue has ended. */
  room(limit: number): Promise<void> {
    if (this.#ended || this.#bytes <= limit) return Promise.resolve()
    return new Promise((resolve) => this.#writers.push({ limit, resolve }))
  }

  /**
   * Nothing more comes: iteration ends after what is there, and where `error` says why, `next` and iteration reject with
   * it. The first error counts; a queue that ended without one may still fail.
   */
  end(error?: Error): void {
    if (this.#ended && !(this.#ended instanceof Finished && error)) return
    this.#ended = error ?? new Finished('The queue has ended.')
    for (const { reject } of this.#readers.splice(0)) reject(this.#ended)
    for (const { resolve } of this.#writers.splice(0)) resolve()
  }

  /** Forgets what nobody has taken; its bytes. */
  drop(): number {
    const bytes = this.#bytes
    this.#items.length = 0
    this.#taken(bytes)
    return bytes
  }

  /** Whoever stops iterating ends the queue, so that nobody waits for room in it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (;;) yield await this.next()
    } catch (error) {
      if (!(error instanceof Finished)) throw error
    } finally {
      this.end()
    }
  }

  #taken(bytes: number): void {
    this.#bytes -= bytes
    for (let i = 0; i < this.#writers.length; ) {
      if (this.#writers[i].limit < this.#bytes) i++
      else this.#writers.splice(i, 1)[0].resolve()
    }
  }
}
