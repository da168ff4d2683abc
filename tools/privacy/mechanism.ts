/** What every accountant here measures: the Poisson-subsampled Gaussian mechanism, and compositions of it. */

export interface Mechanism {
  /** Noise multiplier: standard deviation of the noise over the clipping norm. */
  sigma: number
  /** Probability with which each example joins a batch, independently of all others. */
  q: number
  /** How often the mechanism is applied. */
  steps: number
}

/** A question to an accountant that has no answer; the message says which number is at fault. */
export class AccountingError extends Error {
  override readonly name = 'AccountingError'
}

/** Throws AccountingError unless the mechanism is one the accountants can measure. */
export function checkMechanism({ sigma, q, steps }: Mechanism): void {
  if (!(sigma > 0 && Number.isFinite(sigma)))
    throw new AccountingError(`Noise multiplier ${sigma}: it must be above 0, or nothing is private.`)
  if (!(q >= 0 && q <= 1)) throw new AccountingError(`Sampling probability ${q}: it must be from 0 to 1.`)
  if (!(Number.isSafeInteger(steps) && steps >= 0))
    throw new AccountingError(`${steps} steps: the number must be whole and not negative.`)
}

/** Throws AccountingError unless delta is a probability strictly between 0 and 1. */
export function checkDelta(delta: number): void {
  if (!(delta > 0 && delta < 1)) throw new AccountingError(`Delta ${delta}: it must be between 0 and 1.`)
}

/** Throws AccountingError unless a target epsilon can be met by some amount of noise. */
export function checkEpsilon(epsilon: number): void {
  if (!(epsilon > 0 && Number.isFinite(epsilon)))
    throw new AccountingError(`Epsilon ${epsilon}: the target must be above 0.`)
}

/**
 * A composition with the steps of equal mechanisms added up, and those that reveal nothing left out. Throws
 * AccountingError.
 */
export function merged(mechanisms: readonly Mechanism[]): Mechanism[] {
  const sums = new Map<string, Mechanism>()
  for (const mechanism of mechanisms) {
    checkMechanism(mechanism)
    const { sigma, q, steps } = mechanism
    if (q === 0 || steps === 0) continue
    const key = `${sigma} ${q}`
    sums.set(key, { sigma, q, steps: (sums.get(key)?.steps ?? 0) + steps })
  }
  return [...sums.values()]
}
