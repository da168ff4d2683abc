import { Queue } from '../../../src/transport/queue.ts'

/** Dealt chunks on their way to the server, pass by pass. */
export class DealtMaterial {
  readonly #passes = new Map<number, Queue>()
  /** Passes that the server gave up, in that order. */
  readonly discarded: number[] = []

  /** The chunk is copied. */
  put(pass: number, view: Uint8Array): void {
    this.#pass(pass).push(view.slice())
  }

  next(pass: number): Promise<Uint8Array> {
    return this.#pass(pass).next()
  }

  discard(pass: number): void {
    this.discarded.push(pass)
    this.#pass(pass).drop()
  }

  #pass(pass: number): Queue {
    const queue = this.#passes.get(pass) ?? new Queue()
    this.#passes.set(pass, queue)
    return queue
  }
}
