import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gaussianEpsilon } from '../../test/support/analytic-gaussian.ts'
import { AccountingError } from './mechanism.ts'
import { epsilonOfRdp, rdpCurve, rdpEpsilon, rdpEpsilonOf, rdpOfStep, rdpOrders, rdpSigma } from './rdp.ts'

/** RDP from its definition: the trapezoid rule, which converges exponentially for this integrand. */
function integrated(sigma: number, q: number, order: number): number {
  const h = Math.min(0.05, sigma / 10) * sigma
  const logs: number[] = []
  for (let z = -12 * sigma; z < order + 12 * sigma; z += h) {
    const ratio = Math.log1p(q * Math.expm1(Math.min(600, (2 * z - 1) / (2 * sigma * sigma))))
    logs.push(order * ratio - (z * z) / (2 * sigma * sigma))
  }
  const high = logs.reduce((a, b) => Math.max(a, b))
  const sum = logs.reduce((total, log) => total + Math.exp(log - high), 0)
  return (high + Math.log((sum * h) / (sigma * Math.sqrt(2 * Math.PI)))) / (order - 1)
}

describe('one step', () => {
  it('equals the integral that defines it, at whole and fractional orders', () => {
    for (const sigma of [0.5, 0.8, 1.5, 4])
      for (const q of [1e-3, 0.03, 0.3, 0.6, 0.95])
        for (const order of [1.1, 1.5, 2, 2.5, 5, 7.3, 10.9, 12, 32])
          expect(
            rdpOfStep(sigma, q, order) / integrated(sigma, q, order),
            `${sigma} ${q} ${order}`,
          ).toBeCloseTo(1, 6)
  })

  it('is the Gaussian mechanism at q = 1, and nothing at q = 0', () => {
    expect(rdpOfStep(10, 1, 20)).toBeCloseTo(0.1, 15)
    expect(rdpOfStep(10, 0, 20)).toBe(0)
    // As q goes to 1, so does the series.
    expect(rdpOfStep(2, 1 - 1e-9, 3.3)).toBeCloseTo(3.3 / 8, 6)
  })

  it('keeps its digits where q is tiny: about order q^2 (e^(1/sigma^2) - 1) / 2', () => {
    expect(rdpOfStep(1, 1e-9, 4) / (2 * 1e-18 * (Math.E - 1))).toBeCloseTo(1, 6)
  })

  it('grows with the order and with q, and falls with sigma', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.4, max: 8, noNaN: true }),
        fc.double({ min: 1e-4, max: 0.9, noNaN: true }),
        fc.integer({ min: 0, max: rdpOrders.length - 40 }),
        (sigma, q, i) => {
          const here = rdpOfStep(sigma, q, rdpOrders[i])
          const slack = 1e-11
          expect(rdpOfStep(sigma, q, rdpOrders[i + 1])).toBeGreaterThanOrEqual(here * (1 - 1e-9) - slack)
          expect(rdpOfStep(sigma, q * 1.1, rdpOrders[i])).toBeGreaterThanOrEqual(here * (1 - 1e-9) - slack)
          expect(rdpOfStep(sigma * 1.1, q, rdpOrders[i])).toBeLessThanOrEqual(here * (1 + 1e-9) + slack)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('published values', () => {
  // TensorFlow Privacy, tensorflow_privacy/privacy/analysis/rdp_accountant_test.py.
  it('TensorFlow Privacy: test_compute_rdp_scalar, test_compute_rdp_sequence', () => {
    expect(10 * rdpOfStep(2, 0.1, 5)).toBeCloseTo(0.07737, 5)
    const orders = [1.5, 2.5, 5, 50, 100]
    const expected = [0.00065, 0.001085, 0.00218075, 0.023846, 167.416307]
    const curve = rdpCurve([{ sigma: 2.5, q: 0.01, steps: 50 }], orders)
    expected.forEach((value, i) => {
      expect(Math.abs(curve[i] - value)).toBeLessThan(1e-5)
    })
  })

  it('TensorFlow Privacy: test_get_privacy_spent_check_target_delta', () => {
    const orders = Array.from({ length: 31 }, (_, i) => i + 2)
    const { epsilon, order } = epsilonOfRdp(
      orders.map(() => 1.1),
      1e-5,
      orders,
    )
    expect(order).toBe(32)
    expect(epsilon).toBeCloseTo(1.32783806176, 10)
  })

  // Opacus, opacus/tests/accountants_test.py.
  it('Opacus: test_rdp_accountant, test_get_noise_multiplier_rdp_epochs and _rdp_steps', () => {
    expect(rdpEpsilon({ sigma: 1.5, q: 0.04, steps: 2250, delta: 1e-5 })).toBeCloseTo(7.32911117143, 9)
    // Opacus searches until epsilon is within 0.01 of the target, from below.
    const target = { epsilon: 8, delta: 1e-5, q: 0.04 }
    for (const [steps, found] of [
      [2250, 1.416],
      [2000, 1.3562],
    ]) {
      expect(rdpEpsilon({ ...target, sigma: found, steps })).toBeLessThanOrEqual(8)
      expect(rdpEpsilon({ ...target, sigma: found, steps })).toBeGreaterThan(7.99)
      expect(Math.abs(rdpSigma({ ...target, steps }) - found)).toBeLessThan(0.0015)
    }
  })

  // The example in the docstring of opacus/accountants/analysis/rdp.py.
  it('Opacus: two mechanisms one after another', () => {
    const orders = Array.from({ length: 31 }, (_, i) => i + 2)
    const mechanisms = [
      { q: 1e-5, sigma: 1, steps: 10 },
      { q: 1e-4, sigma: 3, steps: 4 },
    ]
    const { epsilon, order } = epsilonOfRdp(rdpCurve(mechanisms, orders), 1e-5, orders)
    expect(epsilon).toBeCloseTo(0.336, 3)
    expect(order).toBe(23)
  })
})

describe('epsilon', () => {
  it('is above the exact curve of the Gaussian mechanism, and near it', () => {
    for (const [sigma, steps] of [
      [1, 1],
      [5, 30],
      [40, 1000],
    ]) {
      const exact = gaussianEpsilon(sigma, steps, 1e-5)
      const proven = rdpEpsilon({ sigma, q: 1, steps, delta: 1e-5 })
      expect(proven).toBeGreaterThan(exact)
      expect(proven).toBeLessThan(exact * 1.12)
    }
  })

  it('comes to 8 on SST-2 (ten epochs, batch 2048, delta 1e-6) with a noise multiplier of about 0.8', () => {
    const q = 2048 / 67349
    const target = { epsilon: 8, delta: 1e-6, q, steps: Math.round(10 / q) }
    const sigma = rdpSigma(target)
    expect(sigma).toBeCloseTo(0.7866, 4)
    expect(rdpEpsilon({ ...target, sigma })).toBeLessThanOrEqual(8)
    expect(rdpEpsilon({ ...target, sigma: sigma * (1 - 2e-6) })).toBeGreaterThan(8)
    expect(rdpEpsilon({ ...target, sigma: 0.8 })).toBeLessThan(8)
  })

  it('adds up over parts, and is 0 when nothing was released', () => {
    const part = { sigma: 1.1, q: 0.02 }
    const whole = rdpEpsilonOf([{ ...part, steps: 100 }], 1e-6)
    const split = [40, 0, 60].map((steps) => ({ ...part, steps }))
    expect(rdpEpsilonOf(split, 1e-6)).toBeCloseTo(whole, 12)
    expect(rdpEpsilonOf([{ sigma: 1, q: 0, steps: 5 }], 1e-6)).toBe(0)
    expect(rdpEpsilonOf([], 1e-6)).toBe(0)
  })

  it('refuses numbers that mean nothing', () => {
    const good = { sigma: 1, q: 0.1, steps: 3, delta: 1e-6 }
    for (const bad of [
      { sigma: 0 },
      { q: 1.1 },
      { q: Number.NaN },
      { steps: 1.5 },
      { delta: 0 },
      { delta: 1 },
    ])
      expect(() => rdpEpsilon({ ...good, ...bad })).toThrow(AccountingError)
    expect(() => rdpSigma({ ...good, epsilon: -1 })).toThrow(AccountingError)
    expect(() => rdpOfStep(1, 0.1, 1)).toThrow(AccountingError)
  })
})
