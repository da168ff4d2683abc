import type { Tape, Value } from './tape.ts'

/**
 * Where the gradients of weights go. Layers say how a weight's gradient comes about, row by row, and leave it to this
 * object whether rows are summed as they are or clipped by example first.
 */
export interface Parameters {
  /** A matrix `[a, b]` whose gradient is left' right, with left `[n, a]` and right `[n, b]`: one row each for each row of n. */
  matrix(weight: Value, left: Value, right: Value): void
  /** A vector `[d]` whose gradient is the sum of the rows of `g` `[n, d]`: biases and gains. */
  vector(weight: Value, g: Value): void
}

/** The ordinary gradient: the sum over all rows. */
export const summed = (t: Tape): Parameters => ({
  matrix: (weight, left, right) => t.accumulate(weight, t.product(left, right, { a: true })),
  vector: (weight, g) => t.accumulate(weight, t.sumFirst(g)),
})
