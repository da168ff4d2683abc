import FFT from 'fft.js'
import { describe, expect, it } from 'vitest'
import { gaussianEpsilon } from '../../test/support/analytic-gaussian.ts'
import { AccountingError } from './mechanism.ts'
import { type Direction, type PrivacyLoss, privacyLoss } from './privacy-loss.ts'
import { prvEpsilon, prvEpsilonOf, prvSigma } from './prv.ts'
import { rdpEpsilon, rdpSigma } from './rdp.ts'

/** delta(epsilon) of one step from its definition, max over both directions: the integral of (P - e^epsilon Q)+. */
function deltaOfStep(sigma: number, q: number, epsilon: number): number {
  const h = sigma / 2000
  let remove = 0
  let add = 0
  for (let z = -14 * sigma; z < 1 + 14 * sigma; z += h) {
    const gauss = (mean: number) =>
      Math.exp(-(((z - mean) / sigma) ** 2) / 2) / (sigma * Math.sqrt(2 * Math.PI))
    const out = gauss(0)
    const member = (1 - q) * out + q * gauss(1)
    remove += h * Math.max(0, member - Math.exp(epsilon) * out)
    add += h * Math.max(0, out - Math.exp(epsilon) * member)
  }
  return Math.max(remove, add)
}

/**
 * Epsilon by the older method, which needs no theorem: all losses rounded up (or down) to a grid of width `h`, composed
 * by k-fold convolution. Rounding up can only raise epsilon, rounding down only lower it.
 */
function epsilonByRounding(
  mechanism: { sigma: number; q: number; steps: number },
  delta: number,
  up: boolean,
): number {
  const { sigma, q, steps } = mechanism
  const h = 2e-4
  const n = 2 ** 17
  const fourier = new FFT(n)
  const direction = (of: Direction) => {
    const loss = privacyLoss(sigma, q, of)
    const masses = new Float64Array(2 * n)
    const cells = loss.probabilities((-n / 2) * h, h, n)
    for (const [i, mass] of cells.entries()) masses[2 * ((i + n / 2 + (up ? 1 : 0)) % n)] += mass
    const spectrum = new Float64Array(2 * n)
    fourier.transform(spectrum, masses)
    for (let i = 0; i < 2 * n; i += 2) {
      const size = Math.hypot(spectrum[i], spectrum[i + 1]) ** steps
      const angle = Math.atan2(spectrum[i + 1], spectrum[i]) * steps
      spectrum[i] = size * Math.cos(angle)
      spectrum[i + 1] = size * Math.sin(angle)
    }
    fourier.inverseTransform(masses, spectrum)
    const deltaAt = (epsilon: number) => {
      let sum = 0
      for (let i = Math.ceil(epsilon / h); i < n / 2; i++) sum += masses[2 * i] * -Math.expm1(epsilon - i * h)
      return sum
    }
    let low = 0
    let high = (n / 2) * h
    while (high - low > 1e-6) {
      const middle = (low + high) / 2
      if (deltaAt(middle) > delta) low = middle
      else high = middle
    }
    return high
  }
  return Math.max(direction('remove'), direction('add'))
}

/** Of a loss in one interval; nothing here lies beyond a million. */
function probability(loss: PrivacyLoss, low: number, high: number): number {
  const [from, to] = [Math.max(low, -1e6), Math.min(high, 1e6)]
  return loss.probabilities(from, to - from, 1)[0]
}

describe('the loss of one step', () => {
  it('spreads all probability, in both directions', () => {
    for (const direction of ['remove', 'add'] as const)
      for (const q of [0.001, 0.03, 0.7, 1]) {
        const loss = privacyLoss(0.9, q, direction)
        expect(probability(loss, -Infinity, Infinity)).toBeCloseTo(1, 14)
        const cells = Array.from({ length: 4000 }, (_, i) =>
          probability(loss, -20 + i / 100, -19.99 + i / 100),
        )
        expect(cells.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12)
      }
  })

  it('has a mean of the Kullback-Leibler divergence: 1 / 2 sigma^2 at q = 1', () => {
    for (const direction of ['remove', 'add'] as const)
      expect(privacyLoss(2, 1, direction).mean(-Infinity, Infinity)).toBeCloseTo(1 / 8, 12)
  })

  it('never exceeds -log(1 - q) when an example is added', () => {
    const loss = privacyLoss(1, 0.3, 'add')
    expect(probability(loss, -Math.log(0.7), Infinity)).toBe(0)
    expect(probability(privacyLoss(1, 0.3, 'remove'), -Infinity, Math.log(0.7))).toBeLessThan(1e-100)
  })
})

describe('epsilon', () => {
  it('brackets the exact curve of the Gaussian mechanism (Balle and Wang 2018)', () => {
    // The first is the setting of microsoft/prv_accountant, tests/test_accountant.py.
    for (const [sigma, steps, delta, epsilonError] of [
      [100, 10_000, 1e-5, 0.1],
      [100, 10_001, 1e-6, 0.02],
      [5, 30, 1e-6, 0.01],
      [1, 1, 1e-5, 0.01],
    ]) {
      const exact = gaussianEpsilon(sigma, steps, delta)
      const found = prvEpsilon({ sigma, q: 1, steps, delta, epsilonError })
      expect(found.lower).toBeLessThan(exact)
      expect(found.upper).toBeGreaterThan(exact)
      expect(found.upper - found.lower).toBeLessThan(2.2 * epsilonError)
      expect(found.estimate).toBeCloseTo(exact, 3)
    }
  })

  it('brackets the Gaussian curve for unequal parts', () => {
    // mu^2 adds up: 50 / 10^2 + 50 / 5^2 = 2.5 (the heterogeneous test of microsoft/prv_accountant).
    const exact = gaussianEpsilon(Math.sqrt(1 / 2.5), 1, 1e-6)
    const parts = [10, 5].map((sigma) => ({ sigma, q: 1, steps: 50 }))
    const found = prvEpsilonOf(parts, { delta: 1e-6 })
    expect(found.lower).toBeLessThan(exact)
    expect(found.upper).toBeGreaterThan(exact)
    expect(found.estimate).toBeCloseTo(exact, 3)
  })

  it('agrees with the integral of delta for one subsampled step', () => {
    for (const [sigma, q] of [
      [0.8, 0.03],
      [1.2, 0.4],
      [2, 0.9],
    ]) {
      const epsilon = 0.25
      const delta = deltaOfStep(sigma, q, epsilon)
      const found = prvEpsilon({ sigma, q, steps: 1, delta, epsilonError: 0.002 })
      expect(found.estimate, `${sigma} ${q}`).toBeCloseTo(epsilon, 4)
      expect(found.lower).toBeLessThan(epsilon)
      expect(found.upper).toBeGreaterThan(epsilon)
    }
  })

  // google/differential-privacy, dp_accounting/pld: test_get_smallest_subsampled_gaussian_noise of accountant_test.py
  // (noise for epsilon 1; the second has sensitivity 6) and test_poisson_subsampled_gaussian of
  // pld_privacy_accountant_test.py.
  it('agrees with the privacy loss distributions of Google’s library', () => {
    const settings: [number, number, number, number][] = [
      [0.67379294682, 0.01, 1, 1e-5],
      [3.20956502598 / 6, 0.001, 25, 1e-5],
      [0.5, 0.2, 3, 0.15594],
    ]
    for (const [sigma, q, steps, delta] of settings) {
      const found = prvEpsilon({ sigma, q, steps, delta, epsilonError: 0.005 })
      expect(found.estimate, `${sigma}`).toBeCloseTo(1, 3)
      expect(found.lower).toBeLessThan(1)
      expect(found.upper).toBeGreaterThan(1)
    }
  })

  it('lies between rounding all losses down and rounding them up', () => {
    for (const mechanism of [
      { sigma: 0.8, q: 0.02, steps: 100 },
      { sigma: 1.5, q: 0.3, steps: 40 },
    ]) {
      const { lower, estimate, upper } = prvEpsilon({ ...mechanism, delta: 1e-6 })
      const down = epsilonByRounding(mechanism, 1e-6, false)
      const up = epsilonByRounding(mechanism, 1e-6, true)
      expect(up - down).toBeLessThan(0.05)
      expect(estimate).toBeGreaterThan(down)
      expect(estimate).toBeLessThan(up)
      expect(lower).toBeLessThan(up)
      expect(upper).toBeGreaterThan(down)
    }
  })

  it('is tighter than the Renyi accountant on SST-2, and two grids overlap', () => {
    const q = 2048 / 67349
    const mechanism = { sigma: 0.8, q, steps: Math.round(10 / q), delta: 1e-6 }
    const fine = prvEpsilon(mechanism)
    const coarse = prvEpsilon({ ...mechanism, epsilonError: 0.2 })
    expect(fine.upper).toBeLessThan(rdpEpsilon(mechanism))
    expect(fine.lower).toBeGreaterThan(6.7)
    expect(coarse.lower).toBeLessThan(fine.lower)
    expect(coarse.upper).toBeGreaterThan(fine.upper)
    expect(coarse.estimate).toBeCloseTo(fine.estimate, 2)
  })

  it('is what parts of the same mechanism spend together', () => {
    const part = { sigma: 0.9, q: 0.05 }
    const whole = prvEpsilonOf([{ ...part, steps: 60 }], { delta: 1e-5 })
    const nearly = prvEpsilonOf(
      [
        { ...part, steps: 30 },
        { ...part, sigma: 0.9 + 1e-9, steps: 30 },
      ],
      { delta: 1e-5 },
    )
    expect(nearly.estimate).toBeCloseTo(whole.estimate, 5)
  })

  it('is 0 when nothing was released, and when delta alone covers it', () => {
    expect(prvEpsilonOf([], { delta: 1e-6 })).toEqual({ lower: 0, estimate: 0, upper: 0 })
    const faint = prvEpsilon({ sigma: 50, q: 0.001, steps: 1, delta: 1e-3 })
    expect(faint.estimate).toBe(0)
    expect(faint.upper).toBeLessThan(0.011)
  })

  it('calibrates less noise than the Renyi accountant, and enough', () => {
    const target = { epsilon: 3, delta: 1e-6, q: 0.01, steps: 200 }
    const sigma = prvSigma(target)
    expect(prvEpsilon({ ...target, sigma }).upper).toBeLessThanOrEqual(3)
    expect(prvEpsilon({ ...target, sigma: sigma * 0.995 }).upper).toBeGreaterThan(3)
    expect(rdpEpsilon({ ...target, sigma })).toBeGreaterThan(3)
  })

  it.each([0.01, 0.1, 8, 100, 1000])(
    'is answered for a target of %f, by no more noise than Renyi’s',
    (epsilon) => {
      const target = { epsilon, delta: 1e-5, q: 0.05, steps: 100 }
      const sigma = prvSigma(target)
      const { lower, estimate, upper } = prvEpsilon({ ...target, sigma })
      expect(upper).toBeLessThanOrEqual(epsilon)
      expect(sigma).toBeLessThanOrEqual(rdpSigma(target))
      expect(lower).toBeLessThanOrEqual(estimate)
      // Noise enough, and not much more than that.
      expect(prvEpsilon({ ...target, sigma: 0.97 * sigma }).upper).toBeGreaterThan(epsilon)
    },
  )

  it('refuses what it cannot bound', () => {
    const good = { sigma: 1, q: 0.1, steps: 3, delta: 1e-6 }
    for (const bad of [{ sigma: 0 }, { q: -1 }, { delta: 1e-12 }, { epsilonError: 0 }])
      expect(() => prvEpsilon({ ...good, ...bad })).toThrow(AccountingError)
  })
})
