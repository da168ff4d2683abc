import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import type { Share } from '../values.ts'
import { centre, centreBits } from './centre.ts'

it('takes the mean off every row, up to a factor that rounding 1/width leaves', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 12 }),
      fc.array(fc.integer({ min: -5000, max: 5000 }), { minLength: 24, maxLength: 24 }),
      (width, values) => {
        const rows = 2
        const x = values.slice(0, rows * width)
        let y!: Share
        const trial = new Trial(
          (plan, given) => {
            y = centre(plan, given(x, { ring: 40, width, frac: 4 }))
          },
          { shape: { base: 0, rows, serial: 0 } },
        )
        expect(trial.complaints).toEqual([])
        expect(y.scale.bits).toBe(4 + centreBits(width))
        const got = trial.reals(y)
        for (let r = 0; r < rows; r++) {
          const row = x.slice(r * width, (r + 1) * width).map((v) => v / 16)
          const mean = row.reduce((a, b) => a + b) / width
          const own = got.slice(r * width, (r + 1) * width)
          expect(own.reduce((a, b) => a + b)).toBe(0)
          row.forEach((v, i) => {
            expect(Math.abs(own[i] - (v - mean))).toBeLessThanOrEqual(0.004 * Math.abs(v - mean) + 1e-9)
          })
        }
      },
    ),
    { numRuns: 30 },
  )
})
