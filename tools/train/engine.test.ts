import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { demoConfig, type ModelConfig, type Tensors } from '../../src/model/architectures/config.ts'
import { tensorShapes } from '../../src/model/graph/tensors.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import { twinLoss } from '../../test/twins/decoders.ts'
import { jaxGradients } from '../../test/twins/llama-gradient.ts'
import { onnxEngine } from '../onnx/engine.ts'
import type { Batch, GradientEngine } from './gradient.ts'

const config: ModelConfig = { ...demoConfig, vocab: 50, dim: 32, layers: 2, ff: 48, context: 16 }
const gpt2: ModelConfig = { ...config, arch: 'gpt2', kvHeads: 4, activation: 'gelu_tanh' }
const random = new PredictableRandom(1)
const rows = 3
const length = 10
const batch: Batch = { rows, length, ids: new Int32Array(rows * (length + 1)).map(() => random.below(50)) }

function randomWeights(c: ModelConfig): Tensors {
  const weights: Tensors = new Map()
  for (const [name, shape] of tensorShapes(c)) {
    const gain = shape.length === 1
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1))
    weights.set(name, { shape, data: data.map(() => (gain ? 1 : 0) + (gain ? 0.1 : 0.3) * random.normal()) })
  }
  return weights
}

const windows = Array.from({ length: rows }, (_, r) => [
  ...batch.ids.subarray(r * (length + 1), (r + 1) * (length + 1)),
])
const lossOf = (c: ModelConfig, weights: Tensors): number =>
  windows.reduce((sum, ids) => sum + twinLoss(c, weights, ids), 0) / rows

describe.each([
  ['LLaMA', config],
  ['LLaMA with capped logits', { ...config, softcap: 3, softmaxCap: 5 }],
  ['GPT-2', gpt2],
  ['a head of its own', { ...config, tied: false }],
  ['parallel blocks', { ...config, arch: 'parallel-llama', activation: 'linear' } satisfies ModelConfig],
])('%s', (_, c) => {
  let engine: GradientEngine
  beforeAll(async () => {
    engine = await onnxEngine(c, 1)
  })
  afterAll(() => engine.close())
  const weights = randomWeights(c)

  test('the loss is that of its twin', async () => {
    expect((await engine.run(weights, batch)).loss).toBeCloseTo(lossOf(c, weights), 5)
  })

  test('gradients agree with finite differences of the twin', async () => {
    const { gradients } = await engine.run(weights, batch)
    for (const [name, { data }] of weights) {
      // The weight whose gradient is largest: rounding matters least there.
      const g = gradients.get(name)!
      let at = 0
      for (let i = 1; i < g.length; i++) if (Math.abs(g[i]) > Math.abs(g[at])) at = i
      const kept = data[at]
      const h = 2 ** -8
      data[at] = kept + h
      const above = lossOf(c, weights)
      const reached = data[at]
      data[at] = kept - h
      const below = lossOf(c, weights)
      const slope = (above - below) / (reached - data[at])
      data[at] = kept
      // A key's bias shifts a row of scores as a whole, which changes nothing: its gradient is zero.
      expect(Math.abs(slope - g[at]), name).toBeLessThan(5e-3 * Math.abs(slope) + 1e-6)
    }
  })
})

test('gradients agree with jax-js everywhere', async () => {
  const onnx = await onnxEngine(config, 1)
  const weights = randomWeights(config)
  const jax = await jaxGradients(config)
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
  await onnx.close()
})
