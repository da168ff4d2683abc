import { PredictableRandom } from '../../src/model/random.ts'
import type { Batch } from './gradient.ts'

/** Cuts training windows out of a token stream; the same seed and step give the same batch. */
export class Batches {
  readonly #starts: number[] = []

  /** `bos` marks where each dialogue begins. */
  readonly stream: Uint16Array
  readonly seed: number

  constructor(stream: Uint16Array, bos: number, seed: number) {
    this.stream = stream
    this.seed = seed
    for (let i = 0; i < stream.length; i++) if (stream[i] === bos) this.#starts.push(i)
  }

  /**
   * Every other row starts where a dialogue starts, as a chat does;
   * the rest start anywhere, so that late turns are learned too.
   */
  at(step: number, rows: number, length: number): Batch {
    if (this.stream.length <= length + 1)
      throw new RangeError(`Too little text: ${this.stream.length} tokens for windows of ${length + 1}.`)
    const random = new PredictableRandom(this.seed * 1_000_003 + step)
    const ids = new Int32Array(rows * (length + 1))
    for (let row = 0; row < rows; row++) {
      const start =
        row % 2 === 0
          ? this.#starts[random.below(this.#starts.length)]
          : random.below(this.stream.length - length)
      const last = this.stream.length - (length + 1)
      const from = Math.min(start, last)
      ids.set(this.stream.subarray(from, from + length + 1), row * (length + 1))
    }
    return { rows, length, ids }
  }
}
