import { expect, it } from 'vitest'
import { proportionLower, proportionUpper } from './clopper-pearson.ts'

/** The chance of `successes` or more in `trials`, summed from the definition. */
function binomialTail(successes: number, trials: number, p: number): number {
  let sum = 0
  let log = trials * Math.log(p)
  for (let k = trials; k >= successes; k--) {
    sum += Math.exp(log)
    log += Math.log(k / (trials - k + 1)) + Math.log1p(-p) - Math.log(p)
  }
  return sum
}

it('leaves just the allowed error in the binomial tails', () => {
  for (const [successes, trials] of [
    [3, 10],
    [45, 50],
    [8, 400],
    [1, 1000],
  ])
    for (const error of [0.05, 1e-3]) {
      const low = binomialTail(successes, trials, proportionLower(successes, trials, error))
      expect(Math.abs(low / error - 1)).toBeLessThan(1e-8)
      const high = 1 - binomialTail(successes + 1, trials, proportionUpper(successes, trials, error))
      expect(Math.abs(high / error - 1)).toBeLessThan(1e-8)
    }
})

it('bounds known from tables (95 %, two-sided)', () => {
  expect(proportionLower(3, 10, 0.025)).toBeCloseTo(0.0667, 4)
  expect(proportionUpper(3, 10, 0.025)).toBeCloseTo(0.6525, 4)
  expect(proportionLower(10, 10, 0.025)).toBeCloseTo(0.025 ** (1 / 10), 12)
  expect(proportionUpper(0, 1000, 0.025)).toBeCloseTo(1 - 0.025 ** (1 / 1000), 12)
  expect(proportionLower(0, 10, 0.025)).toBe(0)
  expect(proportionUpper(10, 10, 0.025)).toBe(1)
})

it('covers: large counts', () => {
  // Normal limit: half a million of a million, 1.96 deviations of 0.0005.
  expect(proportionLower(500_000, 1_000_000, 0.025)).toBeCloseTo(0.5 - 0.00098, 5)
  expect(proportionUpper(500_000, 1_000_000, 0.025)).toBeCloseTo(0.5 + 0.00098, 5)
})
