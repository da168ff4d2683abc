/** Row-following softmax as attention runs it: powers of scores under a secret cap, and the inverse of their sum. */

import { addConstant } from '../src/protections/shared/ops/add-constant.ts'
import { belowCap } from '../src/protections/shared/ops/below-cap.ts'
import { inverseLevels } from '../src/protections/shared/ops/composed/open-inverse.ts'
import { exponential } from '../src/protections/shared/ops/exponential.ts'
import { highestLevel } from '../src/protections/shared/ops/highest-level.ts'
import { inverse } from '../src/protections/shared/ops/inverse.ts'
import { open } from '../src/protections/shared/ops/open.ts'
import { sumPositions } from '../src/protections/shared/ops/sum-positions.ts'
import { thermometer } from '../src/protections/shared/ops/thermometer.ts'
import { truncate } from '../src/protections/shared/ops/truncate.ts'
import { PlanBuilder } from '../src/protections/shared/plan.ts'
import { softmaxWidths } from '../src/protections/shared/profiles/fixed/softmax-widths.ts'
import { precisionOf } from '../src/protections/shared/profiles/fixed/widths.ts'
import { fraction } from '../src/protections/shared/scale.ts'
import { count, span } from '../src/protections/shared/shape.ts'
import { given, runOp, toResult } from './mini.ts'
import type { Result } from './result.ts'
import { largest, normals } from './samples.ts'

const HEADS = 12
/** Rows are causal; after 64 cached positions 128 of them see 128.5 positions on average. */
const SHAPE = { base: 64, rows: 128, serial: 0 }

/** The division itself happens after the values are mixed, on far fewer elements: here it is done in the clear. */
export async function softmax(): Promise<Result> {
  const p = precisionOf({ arch: 'llama' })
  const f = p.activation
  const values = normals(count(SHAPE, 'pair', HEADS), 5)
  // The compiler folds log2(e) into the queries.
  const octaves = values.map((v) => v * Math.LOG2E)
  const top = largest(octaves)
  const ranges = { v: 4, score: [-top, top] as [number, number] }
  const spanBits = Math.ceil(Math.log2(SHAPE.base + SHAPE.rows + 1))
  const uses = { scalars: HEADS, columns: HEADS * 64 }
  const s = softmaxWidths(p, ranges as Parameters<typeof softmaxWidths>[1], spanBits, 256, uses)
  const plan = new PlanBuilder()
  const x = given(plan, octaves, { layout: 'pair', width: HEADS, ring: s.scores, scale: fraction(2 * f) })
  const shifted = addConstant(plan, x, BigInt(-s.edge) << BigInt(2 * f))
  const c = open(plan, truncate(plan, shifted, 2 * f + s.binBits, s.bins, 'unsigned'), { bits: s.bins })
  const N = open(plan, thermometer(plan, c, spanBits), { bits: spanBits })
  const level = highestLevel(plan, N, HEADS)
  const fine = truncate(plan, x, 2 * f - s.exponentFrac, s.exponent, 'modular')
  const cap = { shift: s.exponentFrac + s.binBits, offset: BigInt(s.edge) << BigInt(s.exponentFrac) }
  const z = open(plan, belowCap(plan, fine, level, cap), { bits: s.exponent })
  const powers = exponential(plan, z, {
    entryBits: s.exponentEntries,
    frac: s.weightFrac,
    factorBits: s.factorBits,
    ring: s.weights + s.factorBits,
  })
  const e = truncate(plan, powers, s.factorBits, s.weights)
  const P = open(plan, e, { bits: s.weights })
  const d = s.denominator
  const sum = truncate(plan, sumPositions(plan, e), s.weightFrac - d.frac, d.ring, 'unsigned')
  const basisBits = 12
  const r = inverse(plan, open(plan, sum, { bits: d.ring }), {
    ...d,
    f: (y) => 1 / y,
    degree: 5,
    frac: s.inverseFrac,
    basisBits,
    ring: s.inverse + basisBits,
  })
  const levels = inverseLevels(d)
  const rd = truncate(plan, r, basisBits)
  const run = await runOp(plan.finish(), SHAPE)
  const got = divide(run.value(e), run.value(rd), levels, s.inverseFrac)
  void P
  return toResult(`softmax ${HEADS} heads, ${count(SHAPE, 'pair', 1)} scores each`, run, got, exact(values))
}

/** Powers times the inverse of their row: coarse, or coarse + gate x fine. */
function divide(e: Float64Array, r: Float64Array, levels: number, frac: number): Float64Array {
  const out = new Float64Array(e.length)
  for (let row = 0, at = 0; row < SHAPE.rows; row++)
    for (let j = span(SHAPE, row); j > 0; j--)
      for (let h = 0; h < HEADS; h++, at++) {
        const part = (level: number) => r[row * levels * HEADS + level * HEADS + h]
        out[at] = e[at] * (levels === 1 ? part(0) : part(0) + part(1) * 2 ** frac * part(2))
      }
  return out
}

function exact(scores: Float64Array): Float64Array {
  const out = scores.map(Math.exp)
  for (let row = 0, at = 0; row < SHAPE.rows; at += span(SHAPE, row) * HEADS, row++)
    for (let h = 0; h < HEADS; h++) {
      let sum = 0
      for (let j = 0; j < span(SHAPE, row); j++) sum += out[at + j * HEADS + h]
      for (let j = 0; j < span(SHAPE, row); j++) out[at + j * HEADS + h] /= sum
    }
  return out
}
