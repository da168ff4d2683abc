/** The normal distribution's tail to double precision, and sums of logarithms, for the accountants. */
import { compiled, erfc, ndtr } from 'cephes'

await compiled

/** Standard normal distribution function; 0 where it is below the least normal double. */
export function normalCdf(x: number): number {
  // Cephes takes an underflow for an error.
  if (x < -37.5) return 0
  return x > 37.5 ? 1 : ndtr(x)
}

/**
 * log erfc(x), also where erfc itself underflows: from 25 on by its asymptotic series (DLMF 7.12.1), whose terms left out
 * here are below 1e-16 of the sum.
 */
export function logErfc(x: number): number {
  if (x < -6) return Math.LN2
  if (x < 25) return Math.log(erfc(x))
  let term = 1
  let sum = 1
  for (let k = 1; k <= 6; k++) {
    term *= -(2 * k - 1) / (2 * x * x)
    sum += term
  }
  return Math.log(sum / (x * Math.sqrt(Math.PI))) - x * x
}

/** log(exp(a) + exp(b)). */
export function logAdd(a: number, b: number): number {
  const high = Math.max(a, b)
  return high === -Infinity ? high : high + Math.log1p(Math.exp(Math.min(a, b) - high))
}
