import { describe, expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import { inverseWidths } from '../profiles/fixed/widths.ts'
import { fraction } from '../scale.ts'
import type { Share } from '../values.ts'
import { inverseLevels, timesInverse } from './composed/open-inverse.ts'
import { inverse } from './inverse.ts'
import { open } from './open.ts'
import { product } from './product.ts'
import { truncate } from './truncate.ts'

const DEGREE = 5
const BASIS = 12

const functions = { reciprocal: (x: number) => 1 / x, root: (x: number) => 1 / Math.sqrt(x / 64 + 1e-5) }

describe.each([
  ['reciprocal', 0.25, 8, 1],
  ['reciprocal', 2 ** -4, 2 ** 9, 3],
  ['root', 0.05, 30, 1],
  ['root', 0.05, 14.9, 1],
  ['root', 0.06, 1500, 3],
] as const)('the %s of %d to %d by tables with %i output', (name, low, high, outputs) => {
  const uses = outputs === 1 ? { scalars: 1, columns: 1e6 } : { scalars: 1e6, columns: 1 }
  const widths = inverseWidths([low, high], name, uses)
  const f = functions[name]
  const levels = inverseLevels(widths)
  it('has the levels that its uses call for', () => {
    expect(levels).toBe(outputs)
  })
  const frac = 20
  const ring = frac + Math.ceil(Math.log2(f(widths.floor))) + 4 + BASIS
  /** Both ends, and steps of the same ratio between. */
  const values = Array.from({ length: 120 }, (_, i) =>
    Math.min(Math.round(low * (high / low) ** (i / 119) * 2 ** widths.frac), 2 ** widths.ring - 1),
  )

  it('is within a thousandth, whatever the mask', () => {
    const worst: number[] = []
    for (const seed of [1, 2]) {
      let y!: Share
      const trial = new Trial(
        (plan, given) => {
          const type = { ring: widths.ring, frac: widths.frac, width: values.length }
          const v = open(plan, given(values, type), { bits: widths.ring })
          y = inverse(plan, v, { ...widths, f, degree: DEGREE, frac, basisBits: BASIS, ring })
        },
        { seed },
      )
      expect(trial.complaints).toEqual([])
      const parts = trial.reals(y)
      values.forEach((v, i) => {
        const n = values.length
        const [coarse, gate, fine] = [parts[i], parts[n + i] ?? 0, parts[2 * n + i] ?? 0]
        const gated = gate * 2 ** frac
        if (levels === 3) expect([0, 1]).toContain(gated)
        const want = f(v / 2 ** widths.frac)
        worst.push(Math.abs(coarse + gated * fine - want) / want)
      })
    }
    expect(Math.max(...worst)).toBeLessThan(1e-3)
  })

  it('multiplies values as a reciprocal does', () => {
    const some = values.filter((_, i) => i % 10 === 0)
    const x = some.map((_, i) => (i % 2 === 0 ? 1900 : -1900) + i)
    let y!: Share
    const resultBits = ring - BASIS
    const wide = Math.min(64, 13 + resultBits + 2)
    const trial = new Trial((plan, given) => {
      const type = { ring: widths.ring, frac: widths.frac, width: some.length }
      const v = open(plan, given(some, type), { bits: widths.ring })
      const r = inverse(plan, v, { ...widths, f, degree: DEGREE, frac, basisBits: BASIS, ring })
      const opened = open(plan, truncate(plan, r, BASIS), { bits: resultBits, lift: wide })
      const X = open(plan, given(x, { ring: 13, width: some.length, frac: 4 }), { bits: 13, lift: wide })
      const terms = timesInverse(X, opened, levels, 1)
      y = product(plan, terms, { width: some.length, ring: wide, scale: fraction(frac + 4) })
    })
    expect(trial.complaints).toEqual([])
    trial.reals(y).forEach((got, i) => {
      const want = (x[i] / 16) * f(some[i] / 2 ** widths.frac)
      expect(Math.abs(got - want)).toBeLessThan(2e-3 * Math.abs(want) + 2e-3)
    })
  })
})
