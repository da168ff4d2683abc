import { expect, test } from 'vitest'
import type { ModelConfig } from './config.ts'
import { demoConfig, headDim } from './config.ts'
import { rmsNorm, rotate } from './llama.ts'
import { parameterCount, randomModel } from './random.ts'
import { floatModel } from './reference.ts'

const config: ModelConfig = {
  ...demoConfig,
  vocab: 60,
  dim: 32,
  layers: 2,
  ff: 40,
  context: 24,
}
const ids = Array.from({ length: 20 }, (_, i) => (i * 7 + 3) % 60)

test.each(['llama', 'gpt2'] as const)('%s: cached decoding equals a full prefill', (arch) => {
  const c: ModelConfig = { ...config, arch, kvHeads: arch === 'llama' ? 2 : 4, activation: 'silu' }
  const tensors = randomModel(c, 5)
  const whole = floatModel(c, tensors).forward(ids, 'all')
  const model = floatModel(c, tensors)
  const parts = [...model.forward(ids.slice(0, 5), 'all'), ...model.forward(ids.slice(5, 8), 'all')]
  for (const id of ids.slice(8)) parts.push(...model.forward([id]))
  expect(model.position).toBe(ids.length)
  expect(Math.max(...parts.map((value, i) => Math.abs(value - whole[i])))).toBeLessThan(1e-11)

  model.rewind(8)
  const again = model.forward([ids[8]])
  expect([...again]).toEqual(parts.slice(8 * c.vocab, 9 * c.vocab))
})

test('later tokens cannot change earlier logits', () => {
  const tensors = randomModel(config, 5)
  const a = floatModel(config, tensors).forward(ids, 'all')
  const b = floatModel(config, tensors).forward([...ids.slice(0, 10), 1, 2, 3], 'all')
  expect([...a.subarray(0, 10 * config.vocab)]).toEqual([...b.subarray(0, 10 * config.vocab)])
})

test('taps report what the next step is computed from', () => {
  const seen = new Map<string, Float64Array>()
  const model = floatModel(config, randomModel(config, 5), (name, layer, values) =>
    seen.set(`${name}${layer}`, values),
  )
  model.forward(ids.slice(0, 6))
  const n = 6
  for (const [name, width] of Object.entries({
    x: config.dim,
    n1: config.dim,
    v1: 1,
    q: config.dim,
    k: 16,
    v: 16,
    a: config.dim,
    x2: config.dim,
    n2: config.dim,
    v2: 1,
    g: 40,
    u: 40,
    h: 40,
  }))
    for (const layer of [0, 1]) expect([name, seen.get(name + layer)?.length]).toEqual([name, n * width])
  for (const name of ['xf', 'vf', 'nf']) expect(seen.has(`${name}2`)).toBe(true)
  const x = seen.get('x1')!
  const normal = seen.get('n11')!
  const square = seen.get('v11')!
  expect(normal[0]).toBeCloseTo(x[0] / Math.sqrt(square[0] + config.eps), 12)
  // The last query sees all six positions in each of the four heads; the first only itself.
  expect(seen.get('s1')!.length).toBe(4 * (1 + 2 + 3 + 4 + 5 + 6))
})

test('rotation keeps lengths, and dot products depend on the distance only', () => {
  const c = { ...config, heads: 1, kvHeads: 1, dim: 8 }
  const at = (position: number, values: number[]) => {
    const x = Float64Array.from(values)
    rotate(x, c, 1, position)
    return x
  }
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i], 0)
  const q = [1, 2, 3, 4, 5, 6, 7, 8]
  const k = [2, -1, 0, 1, 3, -2, 1, 0]
  expect(headDim(c)).toBe(8)
  expect(dot(at(9, q), at(9, q))).toBeCloseTo(204, 10)
  expect(dot(at(9, q), at(4, k))).toBeCloseTo(dot(at(25, q), at(20, k)), 10)
  // Half-split: components 0 and 4 form the fastest pair.
  expect(at(1, [1, 0, 0, 0, 0, 0, 0, 0])[4]).toBeCloseTo(Math.sin(1), 12)
})

test('rmsNorm divides by the root mean square', () => {
  const y = rmsNorm(Float64Array.of(3, 4), Float32Array.of(1, 2), 0)
  expect([...y]).toEqual([3 / Math.sqrt(12.5), 8 / Math.sqrt(12.5)])
})

test('what does not fit is refused, with numbers', () => {
  const model = floatModel(config, randomModel(config, 5))
  expect(() => model.forward(new Array(25).fill(1))).toThrow('25 tokens do not fit the context of 24')
  expect(() => model.forward([60])).toThrow('Token id 60')
  const broken = randomModel(config, 5)
  broken.set('model.norm.weight', { shape: [3], data: new Float32Array(3) })
  expect(() => floatModel(config, broken).forward([1])).toThrow('has shape [3]')
})

test('the demonstration model has about 3.8 million parameters', () => {
  expect(parameterCount(demoConfig)).toBe(3_803_392)
})
