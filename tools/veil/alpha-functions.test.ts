/**
 * The paper's enclave functions (STIP, section on protecting the model from users): every token's row is scaled by a secret
 * number, and a small enclave computes what would tell. A test of what is exact, and not a part of the product: it hides no
 * text from whoever knows the table.
 */
import { expect, test } from 'vitest'
import { PredictableRandom } from '../../src/model/random.ts'
import { dot, layerNorm, plus, times, type Vector } from '../../test/twins/formulas.ts'

const DIM = 16
const TOKENS = 9
const LAYERS = 3
const none = new Float64Array(DIM)

const random = new PredictableRandom(21)
const matrix = (): Float64Array =>
  Float64Array.from({ length: DIM * DIM }, () => random.normal() / Math.sqrt(DIM))

interface Layer {
  readonly q: Float64Array
  readonly k: Float64Array
  readonly v: Float64Array
  readonly o: Float64Array
  readonly up: Float64Array
  readonly down: Float64Array
  /** Of the attention's output. */
  readonly bias: Vector
  readonly gain: Float64Array
}

const layerOf = (bias: number): Layer => ({
  ...{ q: matrix(), k: matrix(), v: matrix(), o: matrix(), up: matrix(), down: matrix() },
  bias: Array.from({ length: DIM }, () => bias * random.normal()),
  gain: Float64Array.from({ length: DIM }, () => 0.3 + 2 * random.uniform()),
})

type Form = 'post' | 'pre'
const norm = (x: Vector, gain: Float64Array): Vector => layerNorm(x, gain, none, 0)

/**
 * Layers in the cloud. `alpha` are the tokens' factors: in the first layer the enclave takes them out of the scores and puts
 * them back into the weights, so that a row that comes out has its own token's factor alone.
 */
function run(layers: readonly Layer[], form: Form, rows: Vector[], alpha?: Vector): Vector[] {
  let xs = rows
  layers.forEach((layer, l) => {
    const factor = (t: number): number => (l === 0 && alpha ? alpha[t] : 1)
    const read = form === 'pre' ? xs.map((x) => norm(x, layer.gain)) : xs
    const [qs, ks, vs] = [layer.q, layer.k, layer.v].map((w) => read.map((x) => times(w, x)))
    const carried = form === 'pre' ? () => 1 : factor
    const mixed = qs.map((q, i) => {
      const scores = ks.map((k, j) => dot(q, k) / (carried(i) * carried(j)) / Math.sqrt(DIM))
      const most = Math.max(...scores)
      const weights = scores.map((score) => Math.exp(score - most))
      const total = weights.reduce((a, b) => a + b)
      return Array.from({ length: DIM }, (_, c) =>
        weights.reduce((sum, w, j) => sum + (w / total) * (carried(i) / carried(j)) * vs[j][c], 0),
      )
    })
    const attended = xs.map((x, t) => plus(x, times(layer.o, mixed[t]), layer.bias))
    const mid = form === 'post' ? attended.map((x) => norm(x, layer.gain)) : attended
    const inner = form === 'pre' ? mid.map((x) => norm(x, layer.gain)) : mid
    const out = mid.map((x, t) =>
      plus(
        x,
        times(
          layer.down,
          times(layer.up, inner[t]).map((u) => Math.max(0, u)),
        ),
      ),
    )
    xs = form === 'post' ? out.map((x) => norm(x, layer.gain)) : out
  })
  return xs
}

const rows = Array.from({ length: TOKENS }, () => Array.from({ length: DIM }, () => random.normal()))
const alpha = Array.from({ length: TOKENS }, () => 0.25 + 4 * random.uniform())
const scaled = rows.map((row, t) => row.map((value) => alpha[t] * value))

/** Largest difference; the enclave takes the factors off the last rows where they are left. */
function off(bias: number, form: Form, isLeft: boolean): number {
  const layers = Array.from({ length: LAYERS }, () => layerOf(bias))
  const want = run(layers, form, rows)
  const got = run(layers, form, scaled, alpha)
  return Math.max(
    ...got.flatMap((row, t) => row.map((value, c) => Math.abs(value / (isLeft ? alpha[t] : 1) - want[t][c]))),
  )
}

test('post-LN without biases before the first norm: exact, for the norm takes the factors out', () => {
  expect(off(0, 'post', false)).toBeLessThan(1e-11)
})

test('a bias before the first norm is not scaled, and is wrong', () => {
  expect(off(1, 'post', false)).toBeGreaterThan(0.1)
})

test('pre-LN: the branch loses the factors, and the stream keeps them', () => {
  expect(off(0, 'pre', false)).toBeGreaterThan(0.1)
  expect(off(0, 'pre', true)).toBeGreaterThan(0.1)
})

test('whoever knows the table reads every token: sorted rows of length one are the same', () => {
  const table = Array.from({ length: 400 }, () => Array.from({ length: DIM }, () => random.normal()))
  const order = Array.from({ length: DIM }, (_, i) => (5 * i + 3) % DIM)
  const seen = table.map((row, t) => order.map((c) => (0.25 + ((t * 0.37) % 4)) * row[c]))
  const shape = (row: Vector): Vector => {
    const length = Math.sqrt(dot(row, row))
    return row.map((value) => value / length).sort((a, b) => a - b)
  }
  const known = table.map(shape)
  const read = seen.filter((row, t) => {
    const likeness = known.map((other) => dot(other, shape(row)))
    return likeness.indexOf(Math.max(...likeness)) === t
  })
  expect(read).toHaveLength(table.length)
})
