/** The complementary error function to double precision, and what the accountants build on it. */

/**
 * exp(x^2) erfc(x) for x >= 2, by the continued fraction of Abramowitz and Stegun 7.1.14 evaluated from its tail.
 * Eighty levels reach double precision at x = 2, twenty-five at 4.
 */
function scaled(x: number): number {
  let tail = x
  for (let k = x < 4 ? 80 : 25; k > 0; k--) tail = x + k / 2 / tail
  return 1 / (Math.sqrt(Math.PI) * tail)
}

/** erf for |x| < 2: the series with positive terms only (Abramowitz and Stegun 7.1.6), so nothing cancels. */
function erfSeries(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
}

/** erfc(x), relative error about 1e-14 wherever the result is a normal double. */
export function erfc(x: number): number {
  if (x >= 2) return x > 27.3 ? 0 : Math.exp(-x * x) * scaled(x)
  if (x <= -2) return 2 - erfc(-x)
  return 1 - erfSeries(x)
}

/** log erfc(x), also where erfc itself underflows. */
export function logErfc(x: number): number {
  return x >= 2 ? Math.log(scaled(x)) - x * x : Math.log(erfc(x))
}

/** Standard normal distribution function. */
export const normalCdf = (x: number): number => erfc(-x * Math.SQRT1_2) / 2

/** log(exp(a) + exp(b)). */
export function logAdd(a: number, b: number): number {
  const high = Math.max(a, b)
  return high === -Infinity ? high : high + Math.log1p(Math.exp(Math.min(a, b) - high))
}
