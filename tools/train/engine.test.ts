import { afterAll, beforeAll, expect, test } from 'vitest'
import { demoConfig, type Tensors } from '../../src/model/architectures/config.ts'
import { floatModel } from '../../src/model/graph/decoder-model.ts'
import { tensorShapes } from '../../src/model/graph/tensors.ts'
import { logSumExp } from '../../src/model/math.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import { onnxEngine } from '../onnx/engine.ts'
import type { Batch, GradientEngine } from './gradient.ts'
import { jaxEngine } from './jax-engine.ts'

const config = { ...demoConfig, vocab: 50, dim: 32, layers: 2, ff: 48, context: 16 }
const random = new PredictableRandom(1)
const weights: Tensors = new Map()
for (const [name, shape] of tensorShapes(config)) {
  const gain = shape.length === 1
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1))
  weights.set(name, { shape, data: data.map(() => (gain ? 1 : 0) + (gain ? 0.1 : 0.3) * random.normal()) })
}
const rows = 3
const length = 10
const batch: Batch = { rows, length, ids: new Int32Array(rows * (length + 1)).map(() => random.below(50)) }

let onnx: GradientEngine
beforeAll(async () => {
  onnx = await onnxEngine(config, 1)
})
afterAll(() => onnx.close())

/** The loss by the float64 reference model. */
function referenceLoss(w: Tensors): number {
  let sum = 0
  for (let r = 0; r < rows; r++) {
    const ids = batch.ids.subarray(r * (length + 1), (r + 1) * (length + 1))
    const logits = floatModel(config, w).forward(ids.subarray(0, length), 'all')
    for (let t = 0; t < length; t++) {
      const at = t * config.vocab
      sum += logSumExp(logits, at, at + config.vocab) - logits[at + ids[t + 1]]
    }
  }
  return sum / (rows * length)
}

test('the loss is that of the float reference', async () => {
  expect((await onnx.run(weights, batch)).loss).toBeCloseTo(referenceLoss(weights), 5)
})

test('gradients agree with finite differences of the reference', async () => {
  const { gradients } = await onnx.run(weights, batch)
  for (const [name, { data }] of weights) {
    // The weight whose gradient is largest: rounding matters least there.
    const g = gradients.get(name)!
    let at = 0
    for (let i = 1; i < g.length; i++) if (Math.abs(g[i]) > Math.abs(g[at])) at = i
    const kept = data[at]
    const h = 2 ** -8
    data[at] = kept + h
    const above = referenceLoss(weights)
    const reached = data[at]
    data[at] = kept - h
    const below = referenceLoss(weights)
    const slope = (above - below) / (reached - data[at])
    data[at] = kept
    expect(Math.abs(slope / g[at] - 1), name).toBeLessThan(5e-3)
  }
})

test('gradients agree with jax-js everywhere', async () => {
  const jax = await jaxEngine(config)
  const a = await jax.run(weights, batch)
  const b = await onnx.run(weights, batch)
  expect(a.loss).toBeCloseTo(b.loss, 5)
  for (const [name, expected] of a.gradients) {
    const actual = b.gradients.get(name)!
    const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0)
    const error = expected.reduce((max, value, i) => Math.max(max, Math.abs(value - actual[i])), 0)
    expect(error / largest, name).toBeLessThan(2e-5)
  }
  await jax.close()
})
