/**
 * Deficit round robin (Shreedhar and Varghese, Efficient fair queueing using deficit round robin, 1996): whoever asks for
 * more waits for more rounds, and nobody's turn depends on how many requests the others have queued.
 */

/** Where the next piece of work and its cost are seen before it is taken. */
export interface Source<T> {
  /** What `shift` would give. */
  peek(): { readonly cost: number; readonly item: T } | undefined
  /** Takes what `peek` showed. */
  shift(): T | undefined
  /** Nothing is queued: it may be forgotten. */
  readonly isEmpty: boolean
}

interface Flow<S> {
  readonly key: string
  readonly source: S
  deficit: number
}

export class RoundRobin<T, S extends Source<T>> implements Source<T> {
  readonly #quantum: number
  readonly #make: () => S
  readonly #flows = new Map<string, Flow<S>>()
  /** In the order of their turns; the first one's turn it is. */
  #ring: Flow<S>[] = []
  /** Whether the first one was given its quantum for this turn. */
  #isServing = false

  /**
   * @param quantum cost that a flow may spend more with every round
   * @param make a flow's own queue: another round robin, or a line
   */
  constructor(quantum: number, make: () => S) {
    this.#quantum = quantum
    this.#make = make
  }

  get isEmpty(): boolean {
    return this.#ring.every(({ source }) => source.isEmpty)
  }

  /** The queue of `key`, which is last in the ring where it was not in it. */
  flow(key: string): S {
    let flow = this.#flows.get(key)
    if (!flow) {
      flow = { key, source: this.#make(), deficit: 0 }
      this.#flows.set(key, flow)
      this.#ring.push(flow)
    }
    return flow.source
  }

  /** The queue of `key`, if it is in the ring. */
  known(key: string): S | undefined {
    return this.#flows.get(key)?.source
  }

  peek(): { cost: number; item: T } | undefined {
    this.#forgetEmpty()
    while (this.#ring.length > 0) {
      const [flow] = this.#ring
      if (!this.#isServing) flow.deficit += this.#quantum
      this.#isServing = true
      const next = flow.source.peek()
      if (next && next.cost <= flow.deficit) return next
      this.#ring.push(this.#ring.shift()!)
      this.#isServing = false
    }
    return undefined
  }

  shift(): T | undefined {
    const next = this.peek()
    if (!next) return undefined
    const flow = this.#ring[0]
    flow.deficit -= next.cost
    const item = flow.source.shift()
    this.#forgetEmpty()
    return item
  }

  /** What is left of a quantum goes with its flow: nobody saves up while there is nothing to do. */
  #forgetEmpty(): void {
    if (this.#ring[0]?.source.isEmpty) this.#isServing = false
    const empty = this.#ring.filter(({ source }) => source.isEmpty)
    if (empty.length === 0) return
    for (const { key } of empty) this.#flows.delete(key)
    this.#ring = this.#ring.filter(({ source }) => !source.isEmpty)
  }
}

/** First in, first out. */
export class Line<T extends { readonly cost: number }> implements Source<T> {
  readonly #items: T[] = []

  push(item: T): void {
    this.#items.push(item)
  }

  peek(): { cost: number; item: T } | undefined {
    const [item] = this.#items
    return item && { cost: item.cost, item }
  }

  shift(): T | undefined {
    return this.#items.shift()
  }

  /** Drops what waits. */
  clear(): void {
    this.#items.length = 0
  }

  get isEmpty(): boolean {
    return this.#items.length === 0
  }
}
