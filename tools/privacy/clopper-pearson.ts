/** Exact confidence bounds of a proportion (Clopper and Pearson 1934). */

/** log Gamma(x) for x > 0: Stirling's series after shifting x above 12. */
export function logGamma(x: number): number {
  let shift = 0
  for (; x < 12; x++) shift -= Math.log(x)
  const y = 1 / (x * x)
  const series = (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y / 1188)))) / x
  return shift + (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series
}

/** Regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22). */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a)
  const front =
    a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b) - Math.log(a)
  // Evaluated from its tail: on this side of the mean it converges within about sqrt(max(a, b)) levels.
  const levels = 60 + Math.ceil(5 * Math.sqrt(Math.max(a, b)))
  let tail = 1
  for (let m = levels; m >= 0; m--) {
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    tail = 1 + odd / tail
    if (m > 0) tail = 1 + (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)) / tail
  }
  return Math.exp(front) / tail
}

/** The p-quantile of a beta distribution. */
function betaQuantile(p: number, a: number, b: number): number {
  let low = 0
  let high = 1
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (incompleteBeta(middle, a, b) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** The proportion behind `successes` of `trials` is below this with probability at most `error`. */
export const proportionLower = (successes: number, trials: number, error: number): number =>
  successes === 0 ? 0 : betaQuantile(error, successes, trials - successes + 1)

/** The proportion behind `successes` of `trials` is above this with probability at most `error`. */
export const proportionUpper = (successes: number, trials: number, error: number): number =>
  successes === trials ? 1 : betaQuantile(1 - error, successes + 1, trials - successes)
