/** Results that come one by one. */

/** What was pushed and not taken yet, and who waits for the next. */
class Queue<T> {
  readonly #items: T[] = []
  #end?: { error?: unknown }
  #wake: () => void = () => undefined

  push(item: T): void {
    this.#items.push(item)
    this.#wake()
  }

  end(error?: unknown): void {
    this.#end ??= { error }
    this.#wake()
  }

  async *take(): AsyncGenerator<T, void> {
    for (;;) {
      const item = this.#items.shift()
      if (item !== undefined) yield item
      else if (this.#end) {
        if (this.#end.error !== undefined) throw this.#end.error
        return
      } else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
  }
}

/**
 * A reply as it is made: `for await (const chunk of stream)`, once. Leaving the loop early, or aborting `controller`, cancels
 * the request at every party.
 */
export class Stream<T> implements AsyncIterable<T> {
  readonly controller: AbortController
  readonly #queue = new Queue<T>()
  #isTaken = false

  /**
   * @param produce hands over one result after the other and resolves behind the last; whatever it rejects with, the loop
   * throws
   * @param signal cancels it, too
   */
  constructor(
    produce: (push: (item: T) => void, signal: AbortSignal) => Promise<void>,
    signal: AbortSignal | undefined,
  ) {
    this.controller = new AbortController()
    const abort = () => this.controller.abort(signal?.reason)
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort)
    produce((item) => this.#queue.push(item), this.controller.signal)
      .then(
        () => this.#queue.end(),
        (error: unknown) => this.#queue.end(error),
      )
      .finally(() => signal?.removeEventListener('abort', abort))
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    if (this.#isTaken) throw new TypeError('A stream can be read once.')
    this.#isTaken = true
    let isOver = false
    try {
      yield* this.#queue.take()
      isOver = true
    } finally {
      if (!isOver) this.controller.abort()
    }
  }
}

/**
 * A stream whose request was accepted. Rejects with what stood in the way before: `produce` calls `begun` once nothing does.
 */
export async function openStream<T>(
  produce: (push: (item: T) => void, begun: () => void, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<Stream<T>> {
  let begun = (): void => undefined
  let refused = (_: unknown): void => undefined
  const accepted = new Promise<void>((resolve, reject) => {
    begun = resolve
    refused = reject
  })
  const stream = new Stream<T>(async (push, stop) => {
    try {
      await produce(push, begun, stop)
      begun()
    } catch (error) {
      refused(error)
      throw error
    }
  }, signal)
  await accepted
  return stream
}
