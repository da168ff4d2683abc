import { expect, it } from 'vitest'
import { erfc, logAdd, logErfc, normalCdf } from './erfc.ts'

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
    expect(Math.abs(erfc(x) / y - 1)).toBeLessThan(2e-13)
    expect(logErfc(x)).toBeCloseTo(Math.log(y), 11)
  }
})

it('is the integral of its density, across the seams of its methods', () => {
  for (const x of [-2.2, -1.9, 0.3, 1.95, 1.999, 2.05, 3.99, 4.02]) {
    const h = 1e-3
    const f = (t: number) => Math.exp(-t * t)
    const simpson = (h / 6) * (f(x) + 4 * f(x + h / 2) + f(x + h)) * (2 / Math.sqrt(Math.PI))
    expect(Math.abs((erfc(x) - erfc(x + h)) / simpson - 1)).toBeLessThan(1e-9)
  }
})

it('has a logarithm where it underflows', () => {
  const x = 40
  const tail = -x * x - Math.log(x * Math.sqrt(Math.PI)) + Math.log1p(-1 / (2 * x * x) + 3 / (4 * x ** 4))
  expect(erfc(x)).toBe(0)
  expect(logErfc(x)).toBeCloseTo(tail, 8)
})

it('gives the normal distribution and sums of logarithms', () => {
  expect(normalCdf(1.959963984540054)).toBeCloseTo(0.975, 14)
  expect(normalCdf(-1.959963984540054)).toBeCloseTo(0.025, 14)
  expect(logAdd(Math.log(3), Math.log(4))).toBeCloseTo(Math.log(7), 14)
  expect(logAdd(-Infinity, 2)).toBe(2)
  expect(logAdd(-Infinity, -Infinity)).toBe(-Infinity)
})
