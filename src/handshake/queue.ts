/** A bounded queue between one producer and one consumer. */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #items: { value: T; size: number }[] = []
  readonly #limit: number
  #size = 0
  #ended = false
  #error: Error | undefined
  #wakeConsumer: (() => void) | undefined
  #wakeProducer: (() => void) | undefined

  /** `limit` bounds the sum of sizes; one item may exceed it. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Resolves when there is room for more. */
  async push(value: T, size: number): Promise<void> {
    if (this.#ended || this.#error) return
    this.#items.push({ value, size })
    this.#size += size
    this.#wakeConsumer?.()
    while (this.#size > this.#limit && !this.#ended && !this.#error) {
      await new Promise<void>((resolve) => {
        this.#wakeProducer = resolve
      })
    }
  }

  /** After what is queued, iteration ends. */
  end(): void {
    this.#ended = true
    this.#wakeBoth()
  }

  /** Iteration rejects at once. */
  fail(error: Error): void {
    this.#error ??= error
    this.#items.length = 0
    this.#wakeBoth()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    try {
      for (;;) {
        if (this.#error) throw this.#error
        const item = this.#items.shift()
        if (item) {
          this.#size -= item.size
          this.#wakeProducer?.()
          yield item.value
        } else if (this.#ended) {
          return
        } else {
          await new Promise<void>((resolve) => {
            this.#wakeConsumer = resolve
          })
        }
      }
    } finally {
      // A consumer that leaves early must not leave the producer waiting.
      this.end()
    }
  }

  #wakeBoth(): void {
    this.#wakeConsumer?.()
    this.#wakeProducer?.()
  }
}
