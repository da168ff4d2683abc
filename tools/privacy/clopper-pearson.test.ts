import { expect, it } from 'vitest'
import { incompleteBeta, logGamma, proportionLower, proportionUpper } from './clopper-pearson.ts'

it('log Gamma: factorials and a half', () => {
  let factorial = 1
  for (let n = 1; n < 20; n++) {
    expect(logGamma(n)).toBeCloseTo(Math.log(factorial), 12)
    factorial *= n
  }
  expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 12)
})

it('incomplete beta: binomial sums', () => {
  // I_p(k, n - k + 1) is the chance of k or more successes in n.
  for (const [n, p] of [
    [10, 0.3],
    [50, 0.9],
    [400, 0.02],
  ]) {
    let tail = 0
    for (let k = n; k >= 1; k--) {
      const choose = logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1)
      tail += Math.exp(choose + k * Math.log(p) + (n - k) * Math.log1p(-p))
      expect(Math.abs(incompleteBeta(p, k, n - k + 1) - tail)).toBeLessThan(1e-11)
    }
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
