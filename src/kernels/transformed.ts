import { demand } from './error.ts'

/** Samples of a function to coefficients of its polynomials. */
export interface TransformKernels {
  /**
   * For each n of the samples the n sums over j of matrix[k n + j] times sample j, times `scale`, rounded as Math.round
   * does, mod 2^64. In float64, added up from j = 0 on, so that all kernels agree to the last bit; results are within
   * +-2^62.
   */
  transformed(samples: Float64Array, matrix: Float64Array, n: number, scale: number): BigUint64Array
}

/** Arguments of `TransformKernels.transformed`. */
export function checkTransformed(samples: Float64Array, matrix: Float64Array, n: number): void {
  demand(Number.isInteger(n) && n >= 1, `samples by ${n}`)
  demand(matrix.length === n * n, `a matrix of ${matrix.length} elements for ${n} samples`)
  demand(samples.length % n === 0, `${samples.length} samples by ${n}`)
}
