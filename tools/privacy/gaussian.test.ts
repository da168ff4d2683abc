import { expect, it } from 'vitest'
import { logAdd, logErfc, normalCdf } from './gaussian.ts'

// scipy.special.erfc, SciPy 1.17.
const known: [number, number][] = [
  [-1, 1.842700792949715],
  [0, 1],
  [0.5, 0.4795001221869535],
  [1, 0.15729920705028513],
  [2, 0.004677734981047266],
  [3, 2.209049699858544e-5],
  [5, 1.5374597944280349e-12],
  [10, 2.088487583762545e-45],
]

it('agrees with an independent implementation', () => {
  for (const [x, y] of known) {
    expect(Math.abs(Math.exp(logErfc(x)) / y - 1)).toBeLessThan(2e-13)
    expect(Math.abs((2 * normalCdf(-x * Math.SQRT2)) / y - 1)).toBeLessThan(2e-13)
  }
})

it('is the integral of its density, across the seams of its methods', () => {
  for (const x of [-6.00005, -2.2, -1.9, 0.3, 1.95, 1.999, 2.05, 3.99, 4.02, 8.1, 24.99995]) {
    const h = 1e-4
    // Of the density, in units of its value at x.
    const f = (t: number) => Math.exp(x * x - t * t)
    const simpson = (h / 6) * (f(x) + 4 * f(x + h / 2) + f(x + h)) * (2 / Math.sqrt(Math.PI))
    const log = logErfc(x) + x * x
    const difference = -Math.exp(log) * Math.expm1(logErfc(x + h) - logErfc(x))
    // Far down on the left, neighbours differ by less than their rounding.
    expect(Math.abs(difference - simpson)).toBeLessThan(1e-10 * simpson + 1e-15 * Math.exp(log))
  }
})

it('has a logarithm where it underflows', () => {
  const x = 40
  const tail = -x * x - Math.log(x * Math.sqrt(Math.PI)) + Math.log1p(-1 / (2 * x * x) + 3 / (4 * x ** 4))
  expect(logErfc(x)).toBeCloseTo(tail, 8)
  expect(logErfc(-x)).toBe(Math.LN2)
  expect([-Infinity, -40, 40, Infinity].map(normalCdf)).toEqual([0, 0, 1, 1])
})

it('gives the normal distribution and sums of logarithms', () => {
  expect(normalCdf(1.959963984540054)).toBeCloseTo(0.975, 14)
  expect(normalCdf(-1.959963984540054)).toBeCloseTo(0.025, 14)
  expect(logAdd(Math.log(3), Math.log(4))).toBeCloseTo(Math.log(7), 14)
  expect(logAdd(-Infinity, 2)).toBe(2)
  expect(logAdd(-Infinity, -Infinity)).toBe(-Infinity)
})
