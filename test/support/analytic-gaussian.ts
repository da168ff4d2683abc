import { normalCdf } from '../../tools/privacy/gaussian.ts'

/**
 * The exact delta at `epsilon` of `steps` Gaussian releases of everything (q = 1): they amount to one with noise
 * sigma / sqrt(steps) (Balle and Wang 2018, theorem 8).
 */
function gaussianDelta(sigma: number, steps: number, epsilon: number): number {
  const mu = Math.sqrt(steps) / sigma
  return normalCdf(mu / 2 - epsilon / mu) - Math.exp(epsilon) * normalCdf(-mu / 2 - epsilon / mu)
}

/** The exact epsilon at `delta`, at least 0, by bisection of that curve. */
export function gaussianEpsilon(sigma: number, steps: number, delta: number): number {
  if (gaussianDelta(sigma, steps, 0) <= delta) return 0
  let low = 0
  let high = 1
  while (gaussianDelta(sigma, steps, high) > delta) high *= 2
  while (high - low > 1e-12 * high) {
    const middle = (low + high) / 2
    if (gaussianDelta(sigma, steps, middle) > delta) low = middle
    else high = middle
  }
  return high
}
