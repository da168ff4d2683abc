import { demand } from './error.ts'

/**
 * How coefficients stand in the words of `PolynomialKernels.polynomials`, and where they are taken: the sum over k < n
 * of coefficient k times round(T_k(2 delta - 1) 2^scale), with delta = (point mod 2^shift) / 2^shift. Each point has
 * words.length / points.length words, those of its groups first.
 */
export interface PolynomialSpec {
  /** Words of a polynomial. */
  readonly n: number
  readonly groups: number
  /** At most 53. */
  readonly shift: number
  /** At most 50. */
  readonly scale: number
}

/** Sums of Chebyshev polynomials of the first kind, with coefficients in the ring. */
export interface PolynomialKernels {
  /** Dealt polynomials at public points, `groups` of them a point, point by point, mod 2^64. */
  polynomials(points: BigUint64Array, words: BigUint64Array, o: PolynomialSpec): BigUint64Array
}

/** Arguments of `PolynomialKernels.polynomials`; the words of a point. */
export function checkPolynomials(points: BigUint64Array, words: BigUint64Array, o: PolynomialSpec): number {
  const { n, groups, shift, scale } = o
  const stride = points.length === 0 ? n * groups : words.length / points.length
  demand(
    Number.isInteger(stride) && stride >= n * groups,
    `${words.length} words for ${points.length} points`,
  )
  demand(n >= 1 && groups >= 1 && shift >= 0 && shift <= 53, `no polynomial of ${n} words at ${shift} bits`)
  demand(Number.isInteger(scale) && scale >= 0 && scale <= 50, `${scale} bits of scale`)
  return stride
}
