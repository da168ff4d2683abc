/**
 * Renyi differential privacy of the Poisson-subsampled Gaussian mechanism (Mironov, Talwar and Zhang 2019,
 * section 3.3), and its conversion to (epsilon, delta) (Canonne, Kamath and Steinke 2020, proposition 12;
 * Balle et al. 2020, theorem 21). Neighbouring data sets differ by adding or removing one example.
 */
import { logAdd, logErfc } from './gaussian.ts'
import {
  AccountingError,
  checkDelta,
  checkEpsilon,
  checkMechanism,
  type Mechanism,
  merged,
} from './mechanism.ts'

/** Orders as in Opacus (1.1 to 10.9 by 0.1, 12 to 63), and larger ones for small epsilons. */
export const rdpOrders: readonly number[] = [
  ...Array.from({ length: 99 }, (_, i) => (11 + i) / 10),
  ...Array.from({ length: 52 }, (_, i) => 12 + i),
  ...[72, 80, 96, 128, 192, 256, 384, 512, 768, 1024],
]

/** Renyi divergence of order `order` > 1 that one step spends, in nats. */
export function rdpOfStep(sigma: number, q: number, order: number): number {
  checkMechanism({ sigma, q, steps: 1 })
  if (!(order > 1 && Number.isFinite(order))) throw new AccountingError(`Order ${order}: it must be above 1.`)
  if (q === 0) return 0
  if (q === 1) return order / (2 * sigma * sigma)
  const log = Number.isInteger(order)
    ? logMomentInteger(sigma, q, order)
    : logMomentFractional(sigma, q, order)
  // The true value is never negative; rounding may be, by 1e-15 or so.
  return Math.max(0, log) / (order - 1)
}

/**
 * log E[(1 - q + q e^((2z - 1) / 2 sigma^2))^order], z ~ N(0, sigma^2), by the binomial expansion. The weights sum to
 * one, so the moment less one is summed: that keeps its digits where q is tiny.
 */
function logMomentInteger(sigma: number, q: number, order: number): number {
  const log1q = Math.log1p(-q)
  let logBinomial = Math.log(order)
  let excess = -Infinity
  for (let k = 2; k <= order; k++) {
    logBinomial += Math.log((order - k + 1) / k)
    const power = (k * (k - 1)) / (2 * sigma * sigma)
    const logExpm1 = power > 30 ? power + Math.log1p(-Math.exp(-power)) : Math.log(Math.expm1(power))
    excess = logAdd(excess, logBinomial + k * Math.log(q) + (order - k) * log1q + logExpm1)
  }
  return logAdd(0, excess)
}

/**
 * log E[(1 - q + q e^((2z - 1) / 2 sigma^2))^order] for fractional orders: the integral is cut where both summands of
 * the mixture are equal, and the binomial series that converges there is used on each side. Beyond the order its terms
 * alternate and shrink.
 */
function logMomentFractional(sigma: number, q: number, order: number): number {
  const logQ = Math.log(q)
  const log1q = Math.log1p(-q)
  const cut = sigma * sigma * (log1q - logQ) + 0.5
  const scale = Math.SQRT2 * sigma
  const twice = 2 * sigma * sigma
  const terms: { log: number; sign: number }[] = []
  let logBinomial = 0
  let sign = 1
  let high = -Infinity
  for (let i = 0; i < 200_000; i++) {
    const j = order - i
    const below = logBinomial + i * logQ + j * log1q + (i * i - i) / twice + logErfc((i - cut) / scale)
    const above = logBinomial + j * logQ + i * log1q + (j * j - j) / twice + logErfc((cut - j) / scale)
    terms.push({ log: below, sign }, { log: above, sign })
    high = Math.max(high, below, above)
    if (i > order && Math.max(below, above) < high - 36) break
    if (j < 0) sign = -sign
    logBinomial += Math.log(Math.abs(j) / (i + 1))
  }
  let sum = 0
  // From the smallest up, so that a long tail is not lost to rounding.
  for (const term of terms.reverse()) sum += term.sign * Math.exp(term.log - high)
  return high + Math.log(sum / 2)
}

/** Total Renyi divergence of a composition at each of `orders`. */
export function rdpCurve(
  mechanisms: readonly Mechanism[],
  orders: readonly number[] = rdpOrders,
): Float64Array {
  const total = new Float64Array(orders.length)
  for (const { sigma, q, steps } of merged(mechanisms))
    orders.forEach((order, i) => {
      total[i] += steps * rdpOfStep(sigma, q, order)
    })
  return total
}

/** The smallest epsilon at `delta` that a Renyi curve proves, and the order that proves it. */
export function epsilonOfRdp(
  curve: ArrayLike<number>,
  delta: number,
  orders: readonly number[] = rdpOrders,
): { epsilon: number; order: number } {
  checkDelta(delta)
  let best = { epsilon: Infinity, order: Number.NaN }
  orders.forEach((order, i) => {
    const epsilon = curve[i] + Math.log1p(-1 / order) - (Math.log(delta) + Math.log(order)) / (order - 1)
    if (epsilon < best.epsilon) best = { epsilon: Math.max(0, epsilon), order }
  })
  return best
}

/** Divergences of whole orders are short sums; those of fractions are series, long ones where there is much noise. */
const wholeOrders = rdpOrders.filter(Number.isInteger)

/**
 * Epsilon at `delta` of mechanisms applied one after another; 0 when nothing was released. Every order proves one: the
 * best whole one is looked for first, then the fractions beside it.
 */
export function rdpEpsilonOf(mechanisms: readonly Mechanism[], delta: number): number {
  checkDelta(delta)
  const parts = merged(mechanisms)
  if (parts.length === 0) return 0
  const whole = epsilonOfRdp(rdpCurve(parts, wholeOrders), delta, wholeOrders)
  const reach = whole.order > 10 ? 2 : 1
  const beside = rdpOrders.filter((o) => !Number.isInteger(o) && Math.abs(o - whole.order) < reach)
  return Math.min(whole.epsilon, epsilonOfRdp(rdpCurve(parts, beside), delta, beside).epsilon)
}

/** Epsilon at `delta` of `steps` steps with noise multiplier `sigma` and sampling probability `q`. */
export const rdpEpsilon = ({ delta, ...mechanism }: Mechanism & { delta: number }): number =>
  rdpEpsilonOf([mechanism], delta)

export interface PrivacyTarget {
  epsilon: number
  delta: number
  q: number
  steps: number
}

/** The smallest noise multiplier whose RDP epsilon is at most the target, from above to 1e-6 of itself. */
export function rdpSigma({ epsilon, delta, q, steps }: PrivacyTarget): number {
  checkEpsilon(epsilon)
  const enough = (sigma: number) => rdpEpsilon({ sigma, q, steps, delta }) <= epsilon
  let low = 0.02
  if (enough(low)) return low
  let high = 1
  while (!enough(high)) {
    low = high
    high *= 2
    if (high > 1e6)
      throw new AccountingError(`Epsilon ${epsilon} at delta ${delta} is out of reach. Take fewer steps.`)
  }
  while (high - low > 1e-6 * high) {
    const middle = (low + high) / 2
    if (enough(middle)) high = middle
    else low = middle
  }
  return high
}
