/** Received messages in order, and those who wait for them. */
export class Mailbox {
  /** Bytes of the messages nobody has taken yet. */
  bytes = 0
  readonly #messages: Uint8Array[] = []
  readonly #waiting: { resolve: (message: Uint8Array) => void; reject: (error: Error) => void }[] = []
  #error: Error | undefined

  get isEmpty(): boolean {
    return this.#messages.length === 0
  }

  get isAwaited(): boolean {
    return this.#waiting.length > 0
  }

  push(message: Uint8Array): void {
    if (this.#error) return
    const next = this.#waiting.shift()
    if (next) {
      next.resolve(message)
    } else {
      this.#messages.push(message)
      this.bytes += message.length
    }
  }

  next(): Promise<Uint8Array> {
    const message = this.#messages.shift()
    if (message) {
      this.bytes -= message.length
      return Promise.resolve(message)
    }
    if (this.#error) return Promise.reject(this.#error)
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /** Messages that already arrived can still be taken; everything after them rejects with `error`. */
  fail(error: Error): void {
    if (this.#error) return
    this.#error = error
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}
