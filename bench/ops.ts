/** `sotto bench ops`: the operations that published systems report, at their sizes, on N(0,1) inputs. */

import type { ModelConfig } from '../src/model/architectures/config.ts'
import { activations } from '../src/model/math.ts'
import { activate } from '../src/protections/shared/ops/activate.ts'
import { inverseLevels, timesInverse } from '../src/protections/shared/ops/composed/open-inverse.ts'
import { inverse } from '../src/protections/shared/ops/inverse.ts'
import { linearPrivate } from '../src/protections/shared/ops/linear-private.ts'
import { open } from '../src/protections/shared/ops/open.ts'
import { openToServer } from '../src/protections/shared/ops/open-to-server.ts'
import type { WeightRef } from '../src/protections/shared/ops/parts/weight-ref.ts'
import { product } from '../src/protections/shared/ops/product.ts'
import { sumSquares } from '../src/protections/shared/ops/sum-squares.ts'
import { truncate } from '../src/protections/shared/ops/truncate.ts'
import { PlanBuilder } from '../src/protections/shared/plan.ts'
import { activationTable } from '../src/protections/shared/profiles/fixed/activation-table.ts'
import { encodeMatrix } from '../src/protections/shared/profiles/fixed/encode.ts'
import { integerBits, normWidths, precisionOf } from '../src/protections/shared/profiles/fixed/widths.ts'
import { add, encode, toFloats } from '../src/protections/shared/ring.ts'
import { fraction } from '../src/protections/shared/scale.ts'
import { given, kernels, runOp, toResult } from './mini.ts'
import { median, type Result } from './result.ts'
import { largest, normals } from './samples.ts'
import { softmax } from './softmax.ts'

const PRECISION = precisionOf({ arch: 'llama' })
const { activation: F, residual: RESIDUAL, weight: WEIGHT } = PRECISION
const ROWS = 128
const REPEAT = 3
const WIDTH = 768

/** Every case, each run three times; times are medians. */
export const opCases: readonly (() => Promise<Result>)[] = [
  gelu,
  softmax,
  layerNorm,
  () => matmul(3072),
  () => publicMatmul(3072),
].map((op) => async () => {
  const runs: Result[] = []
  for (let i = 0; i < REPEAT; i++) runs.push(await op())
  const of = (name: 'onlineSeconds' | 'offlineSeconds') => median(runs.map((run) => run[name] ?? 0))
  return {
    ...runs[0],
    onlineSeconds: of('onlineSeconds'),
    offlineSeconds: of('offlineSeconds'),
    repeat: REPEAT,
  }
})

/** The activation of a feed-forward block without a gate. */
async function gelu(): Promise<Result> {
  const plan = new PlanBuilder()
  const values = normals(ROWS * WIDTH, 1)
  const f = activations.gelu
  const limit = largest(values) * PRECISION.headroom
  const table = activationTable('gelu', f, limit, 2 ** -(F - 1))
  const bits = F + table.half + 1
  const x = open(plan, given(plan, values, { layout: 'row', width: WIDTH, ring: bits, scale: fraction(F) }), {
    bits,
  })
  const [coefficientBits, basisBits, ring] = [13, 13, 31]
  const drop = coefficientBits + basisBits - F
  const options = { f, ...table, coefficientBits, basisBits, ring: ring + drop }
  const out = truncate(plan, activate(plan, x, undefined, options), drop, ring)
  const run = await runOp(plan.finish(), { rows: ROWS })
  return toResult(`gelu ${ROWS}x${WIDTH}`, run, run.value(out), values.map(f))
}

/** As it runs before attention; the mean is taken off beforehand, since the compiler folds that into the weights. */
async function layerNorm(): Promise<Result> {
  const plan = new PlanBuilder()
  const values = centred(normals(ROWS * WIDTH, 2))
  const eps = 1e-5
  const squares = Array.from({ length: ROWS }, (_, r) =>
    meanSquare(values.subarray(r * WIDTH, (r + 1) * WIDTH)),
  )
  const top = largest(values)
  const range: [number, number] = [Math.min(...squares), Math.max(...squares)]
  const config = { dim: WIDTH, eps } as ModelConfig
  const w = normWidths(config, PRECISION, top, range, top, WIDTH, 'the norm')
  const bits = F + integerBits(top * PRECISION.headroom) + 2
  const drop = RESIDUAL + w.rootFrac - F
  const ring = bits + drop
  const x = open(
    plan,
    given(plan, values, { layout: 'row', width: WIDTH, ring: w.open, scale: fraction(RESIDUAL) }),
    {
      bits: w.open,
      lift: Math.max(ring, w.square),
    },
  )
  const sum = truncate(
    plan,
    sumSquares(plan, x, w.square),
    2 * RESIDUAL - w.table.frac,
    w.table.ring,
    'unsigned',
  )
  const basisBits = 12
  const root = inverse(plan, open(plan, sum, { bits: w.table.ring }), {
    ...w.table,
    f: (y) => 1 / Math.sqrt(y / WIDTH + eps),
    degree: 5,
    frac: w.rootFrac,
    basisBits,
    ring: w.root + basisBits,
  })
  const r = open(plan, truncate(plan, root, basisBits), { bits: w.root, lift: ring })
  const terms = timesInverse(x, r, inverseLevels(w.table), WIDTH)
  const wide = product(plan, terms, { width: WIDTH, ring, scale: fraction(RESIDUAL + w.rootFrac) })
  const out = truncate(plan, wide, drop, bits)
  const run = await runOp(plan.finish(), { rows: ROWS })
  const want = values.map((v, i) => v / Math.sqrt(squares[Math.floor(i / WIDTH)] + eps))
  return toResult(`layernorm ${ROWS}x${WIDTH}`, run, run.value(out), want)
}

/** Private weights of a trained model's scale. */
async function matmul(n: number): Promise<Result> {
  const plan = new PlanBuilder()
  const { ring, values, want, encoded } = operands(n)
  const ref: WeightRef = { name: 'w', index: 0, n, scale: fraction(WEIGHT), visibility: 'private' }
  const x = given(plan, values, { layout: 'row', width: WIDTH, ring, scale: fraction(F) })
  const out = truncate(plan, linearPrivate(plan, openToServer(plan, x, ref.index), ref), WEIGHT)
  const run = await runOp(plan.finish(), { rows: ROWS }, new Map([['w', encoded]]))
  return toResult(`matmul ${ROWS}x${WIDTH}x${n}, private weights`, run, run.value(out), want)
}

/** Public weights: each party multiplies its share, and nothing is sent. */
async function publicMatmul(n: number): Promise<Result> {
  const { ring, values, want, encoded } = operands(n)
  const whole = encode(values, ring, F)
  const other = new BigUint64Array(whole.length)
  const own = add(whole, other, ring)
  const matrix = kernels.load(encoded, WIDTH, n)
  const started = performance.now()
  const [a, b] = [own, other].map((share) => kernels.matmul(share, ROWS, matrix, ring))
  const onlineSeconds = (performance.now() - started) / 1000
  matrix.free()
  const none = { hops: 0, upBytes: 0, downBytes: 0, dealerBytes: 0, offlineSeconds: 0 }
  const got = toFloats(add(a, b, ring), ring, F + WEIGHT)
  return toResult(`matmul ${ROWS}x${WIDTH}x${n}, public weights`, { ...none, onlineSeconds }, got, want)
}

function operands(n: number) {
  const values = normals(ROWS * WIDTH, 3)
  const data = normals(WIDTH * n, 4, 0.02)
  const encoded = encodeMatrix({ name: 'w', k: WIDTH, n, data }, WEIGHT) as Int16Array
  const want = new Float64Array(ROWS * n)
  for (let r = 0; r < ROWS; r++)
    for (let i = 0; i < WIDTH; i++)
      for (let j = 0; j < n; j++) want[r * n + j] += values[r * WIDTH + i] * data[i * n + j]
  return { ring: F + WEIGHT + integerBits(largest(want)) + 2, values, want, encoded }
}

const meanSquare = (row: Float64Array): number => row.reduce((sum, v) => sum + v * v, 0) / row.length

function centred(values: Float64Array): Float64Array {
  for (let r = 0; r < values.length; r += WIDTH) {
    const row = values.subarray(r, r + WIDTH)
    const mean = row.reduce((a, b) => a + b, 0) / WIDTH
    row.forEach((v, i) => {
      row[i] = v - mean
    })
  }
  return values
}
