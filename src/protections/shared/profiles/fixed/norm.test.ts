import { describe, expect, it } from 'vitest'
import { tinyGpt2, tinyModel } from '../../../../../test/support/protocol/models.ts'
import { Trial } from '../../../../../test/support/protocol/plans.ts'
import { PredictableRandom } from '../../../../model/random.ts'
import { schedule } from '../../schedule.ts'
import type { Share } from '../../values.ts'
import { Block } from './block.ts'
import { normWidths, precisionOf, residualRing } from './widths.ts'

const P = precisionOf({ arch: 'llama' })

const LOW = 1e-4
const HIGH = 1e4

/** Rows without a mean, of given variances. */
function rowsOf(dim: number, variances: readonly number[], seed: number): Float64Array[] {
  const random = new PredictableRandom(seed)
  return variances.map((variance) => {
    const row = Float64Array.from({ length: dim }, () => random.normal())
    const mean = row.reduce((a, b) => a + b, 0) / dim
    const scale = Math.sqrt((variance * dim) / row.reduce((sum, v) => sum + (v - mean) ** 2, 0))
    return row.map((v) => (v - mean) * scale)
  })
}

describe.each([
  ['LayerNorm', 16, 1e-5],
  ['LayerNorm', 128, 1e-12],
  ['LayerNorm', 768, 1e-12],
] as const)('%s of %i columns, eps %d, calibrated on variances of 1e-4 to 1e4', (_, dim, eps) => {
  const { spec } = tinyModel(tinyGpt2)
  const config = { ...spec.config, dim, eps }
  const variances = Array.from({ length: 28 }, (_, i) => LOW * (HIGH / LOW) ** (i / 27))
  // Head room on both sides: a factor 1.5 in the value is 2.25 in its variance.
  variances.push(LOW / 2.2, HIGH * 2.2)
  const rows = rowsOf(dim, variances, 3)
  const largest = rows.slice(0, -1).reduce((m, row) => row.reduce((n, v) => Math.max(n, Math.abs(v)), m), 0)
  const ranges = { ...spec.ranges, layers: spec.ranges.layers.map((l) => ({ ...l, x: largest })) }
  const block = new Block({ ...spec, config, ranges }, 3, {})
  const w = normWidths(config, P, largest, [LOW, HIGH], largest, dim, 'the norm')
  const fixed = rows.flatMap((row) => Array.from(row, (v) => Math.round(v * 2 ** P.residual)))

  it.for([1, 2])(
    'is within half a percent everywhere, and what the oracle says, masks %i',
    async (seed, { annotate }) => {
      let y!: Share
      const trial = new Trial(
        (plan, given) => {
          const x = given(fixed, { ring: residualRing(ranges, P) + P.guard, width: dim, frac: P.residual })
          y = Object.assign(block, { plan }).normal(x, { ...w, open: block.residual }, 6).value
        },
        { seed, shape: { base: 0, rows: rows.length, serial: 5 } },
      )
      expect(trial.complaints).toEqual([])
      const got = trial.reals(y)
      const errors = rows.map((row, r) => {
        const own = got.slice(r * dim, (r + 1) * dim)
        const root = 1 / Math.sqrt(row.reduce((sum, v) => sum + v * v, 0) / dim + eps)
        // The row's scale, by projection; single elements besides, against the largest of their row.
        const want = Array.from(row, (v) => v * root)
        const squares = want.reduce((sum, v) => sum + v * v, 0)
        const scale = want.reduce((sum, v, i) => sum + v * own[i], 0) / squares - 1
        const top = Math.max(...want.map(Math.abs))
        return Math.max(Math.abs(scale), ...want.map((v, i) => Math.abs(own[i] - v) / top))
      })
      expect(Math.max(...errors)).toBeLessThan(0.005)
      await annotate(`worst relative error ${Math.max(...errors).toExponential(1)}`)
    },
  )

  it('takes one message more than a norm of few octaves', () => {
    const hopsOf = (w: ReturnType<typeof normWidths>): number => {
      const trial = new Trial((plan, given) => {
        const x = given(fixed.slice(0, dim), { ring: block.stream, width: dim, frac: P.residual })
        Object.assign(block, { plan }).normal(x, { ...w, open: block.residual }, 6)
      })
      return schedule(trial.plan).messages.filter((m) => m.steps.length > 0).length
    }
    const narrow = normWidths(config, P, largest, [50, 100], largest, dim, 'the norm')
    expect(hopsOf(w) - hopsOf(narrow)).toBe(1)
  })
})
