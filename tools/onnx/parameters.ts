import type { Tape, Value } from './tape.ts'

/**
 * Where the gradients of weights go. Layers say how a weight's gradient comes about, row by row, and leave it to this
 * object whether rows are summed as they are or clipped by example first.
 */
export interface Parameters {
  /** A matrix `[out, in]` used as x W': gradient dy' x, with dy `[n, out]` and x `[n, in]`. */
  matrix(weight: Value, dy: Value, x: Value): void
  /** A vector `[d]` whose gradient is the sum of the rows of `g` `[n, d]`: biases and gains. */
  vector(weight: Value, g: Value): void
}

/** The ordinary gradient: the sum over all rows. */
export const summed = (t: Tape): Parameters => ({
  matrix: (weight, dy, x) => t.accumulate(weight, t.product(dy, x, { a: true })),
  vector: (weight, g) => t.accumulate(weight, t.sumFirst(g)),
})
