import { describe, expect, it } from 'vitest'
import { tinyGpt2, tinyModel } from '../../../../../test/support/protocol/models.ts'
import { Trial } from '../../../../../test/support/protocol/plans.ts'
import { softmax } from '../../../../model/math.ts'
import { PredictableRandom } from '../../../../model/random.ts'
import { inverseLevels } from '../../ops/composed/open-inverse.ts'
import { toFloats } from '../../ring.ts'
import { count, span } from '../../shape.ts'
import type { Opened } from '../../values.ts'
import { Block } from './block.ts'
import { attentionPowers, attentionWidths, inverseSums } from './softmax.ts'
import { precisionOf } from './widths.ts'

const HEADS = 1
/** Rows of 16 to 128 scores. */
const shape = { base: 15, rows: 113, serial: 3 }

/** Rows of normal logits around offsets, head by head within each position, in nats. */
function logits(std: number, offset: number, seed: number): Float64Array {
  const random = new PredictableRandom(seed)
  const out = new Float64Array(count(shape, 'pair', HEADS))
  for (let r = 0, at = 0; r < shape.rows; r++) {
    const offsets = Array.from({ length: HEADS }, (_, h) => offset * Math.sin(5 * r + h))
    for (let j = span(shape, r); j > 0; j--)
      for (let h = 0; h < HEADS; h++) out[at++] = offsets[h] + std * random.normal()
  }
  return out
}

/** Every row and head's weights, row after row. */
function* rowsOf(values: Float64Array): Generator<{ row: number; head: number; values: Float64Array }> {
  for (let row = 0, at = 0; row < shape.rows; at += span(shape, row) * HEADS, row++)
    for (let head = 0; head < HEADS; head++) {
      const own = new Float64Array(span(shape, row))
      for (let j = 0; j < own.length; j++) own[j] = values[at + j * HEADS + head]
      yield { row, head, values: own }
    }
}

describe.each([
  [1, 0],
  [1, 32],
  [4, 32],
  [16, 0],
  [16, 32],
])('logits of standard deviation %d in rows that lie up to %d apart from zero', (std, offset) => {
  const scores = logits(std, offset, 5)
  const spec = tinyModel(tinyGpt2).spec
  const config = { ...spec.config, heads: HEADS, kvHeads: HEADS, dim: 64 * HEADS, context: 512 }
  const octaves = scores.map((v) => v * Math.LOG2E)
  const score: [number, number] = [
    octaves.reduce((a, b) => Math.min(a, b)),
    octaves.reduce((a, b) => Math.max(a, b)),
  ]
  const range = { ...spec.ranges.layers[0], v: 4, score }
  const block = new Block({ ...spec, config }, 8, {})
  const w = attentionWidths(block, range)
  const s = w.softmax

  it('gives weights within 0.005 of the softmax', async ({ annotate }) => {
    let weights!: Opened
    let inverse!: Opened
    const trial = new Trial(
      (plan, given) => {
        const own = Object.assign(block, { plan })
        const frac = 2 * precisionOf(config).activation
        const fixed = Array.from(octaves, (v) => Math.round(v * 2 ** frac))
        const x = given(fixed, { layout: 'pair', width: HEADS, ring: w.scores, frac })
        const powers = attentionPowers(own, x, w)
        weights = powers.weights
        inverse = inverseSums(own, powers.sums, s, 64)
      },
      { shape },
    )
    expect(trial.complaints).toEqual([])
    const e = toFloats(trial.oracle.get(weights), weights.ring, s.weightFrac)
    const inverses = toFloats(trial.oracle.get(inverse), inverse.ring, s.inverseFrac)
    const levels = inverseLevels(s.denominator)
    const inverseOf = (row: number, head: number): number => {
      const part = (level: number): number => inverses[(row * levels + level) * HEADS + head]
      return levels === 1 ? part(0) : part(0) + part(1) * 2 ** s.inverseFrac * part(2)
    }
    const exact = rowsOf(scores)
    const distances = Array.from(rowsOf(e), ({ row, head, values }) => {
      const want = exact.next().value!.values
      softmax(want)
      return values.reduce((d, v, j) => d + Math.abs(v * inverseOf(row, head) - want[j]), 0) / 2
    })
    const mean = distances.reduce((a, b) => a + b, 0) / distances.length
    await annotate(
      `mean total variation ${mean.toExponential(1)}, worst row ${Math.max(...distances).toExponential(1)}`,
    )
    expect(mean).toBeLessThan(0.005)
    expect(Math.max(...distances)).toBeLessThan(0.005)
  })
})
