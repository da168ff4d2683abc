import { describe, expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import { inverseWidths } from '../profiles/fixed/widths.ts'
import { fraction } from '../scale.ts'
import type { Share } from '../values.ts'
import { combineLevels } from './combine-levels.ts'
import { inverseLevels, openInverse, timesInverse } from './composed/open-inverse.ts'
import { open } from './open.ts'
import { product } from './product.ts'

describe.each([3, 4, 5, 8])('%i levels', (n) => {
  it('are put together as gates say', () => {
    const ring = 20
    const width = 2 ** (n - 1)
    const parts = 2 * n - 1
    // Every set of gates, with values behind closed gates too.
    const values = Array.from({ length: parts * width }, (_, at) => {
      const [part, set] = [Math.floor(at / width), at % width]
      return part % 2 === 1 ? (set >> ((part - 1) / 2)) & 1 : ((7919 * (at + 1)) % 20011) - 10000
    })
    for (const seed of [1, 2]) {
      let y!: Share
      const trial = new Trial(
        (plan, given) => {
          const x = open(plan, given(values, { ring, width: values.length }), { bits: ring })
          y = combineLevels(plan, x, n)
        },
        { seed },
      )
      expect(trial.complaints).toEqual([])
      const want = Array.from({ length: width }, (_, set) => {
        let sum = 0
        for (let level = 0; level < n; level++) {
          sum += values[2 * level * width + set]
          if (level < n - 1 && values[(2 * level + 1) * width + set] === 0) break
        }
        return BigInt(sum)
      })
      expect(trial.integers(y)).toEqual(want)
    }
  })
})

describe.each([
  ['root', 21, (x: number) => 1 / Math.sqrt(x / 64 + 1e-12)],
  ['root', 31, (x: number) => 1 / Math.sqrt(x / 768 + 1e-12)],
  ['root', 38, (x: number) => 1 / Math.sqrt(x / 768 + 1e-12)],
  ['reciprocal', 25, (x: number) => 1 / x],
] as const)('the %s over %i octaves', (name, octaves, f) => {
  const low = name === 'root' ? 2 ** -6 : 2 ** -5
  const high = low * 2 ** (octaves - 1)
  const widths = inverseWidths([low, high], name, { scalars: 1, columns: 768 })
  const frac = name === 'root' ? 20 : 30
  const bits = frac + Math.ceil(Math.log2(f(widths.floor))) + 4
  const values = Array.from({ length: 300 }, (_, i) =>
    Math.min(Math.round(low * (high / low) ** (i / 299) * 2 ** widths.frac), 2 ** widths.ring - 1),
  )
  const width = values.length

  it('takes more than two levels, and few words', () => {
    expect(widths.levels).toBeGreaterThan(2)
    expect(inverseLevels(widths)).toBe(1)
  })

  it.each([1, 2, 3])('multiplies values within a thousandth, masks %i', (seed) => {
    const x = values.map((_, i) => (i % 2 === 0 ? 1700 : -1700) + i)
    const wide = Math.min(64, 13 + bits + 2)
    let y!: Share
    const trial = new Trial(
      (plan, given) => {
        const v = open(plan, given(values, { ring: widths.ring, frac: widths.frac, width }), {
          bits: widths.ring,
        })
        const r = openInverse(plan, v, { ...widths, f, degree: 5, frac, basisBits: 12, bits, lift: wide })
        const X = open(plan, given(x, { ring: 13, width, frac: 4 }), { bits: 13, lift: wide })
        y = product(plan, timesInverse(X, r, 1, 1), { width, ring: wide, scale: fraction(frac + 4) })
      },
      { seed },
    )
    expect(trial.complaints).toEqual([])
    const unit = 2 ** -frac
    trial.reals(y).forEach((got, i) => {
      const factor = x[i] / 16
      const want = factor * f(values[i] / 2 ** widths.frac)
      expect(Math.abs(got - want)).toBeLessThan(1e-3 * Math.abs(want) + 3 * unit * Math.abs(factor))
    })
  })
})

it('refuses more octaves than levels reach', () => {
  expect(() => inverseWidths([1, 2 ** 50], 'the first norm', { scalars: 1, columns: 1 })).toThrow(
    /the first norm spans 51 octaves/,
  )
})
