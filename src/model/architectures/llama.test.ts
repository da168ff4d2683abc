import { describe, expect, test } from 'vitest'
import { parameterCount, randomModel } from '../random.ts'
import type { ModelConfig } from './config.ts'
import { demoConfig, headDim } from './config.ts'
import { rmsNorm, rotate } from './llama.ts'
import { floatModel } from './reference.ts'
import { rotaryFrequencies } from './rope.ts'

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

describe.each(['llama', 'gpt2'] as const)('%s in float32', (arch) => {
  const c: ModelConfig = { ...config, arch, kvHeads: arch === 'llama' ? 2 : 4 }
  const tensors = randomModel(c, 5)
  const whole = floatModel(c, tensors, undefined, 'float32').forward(ids, 'all')

  test('is close to float64, and not the same', () => {
    const exact = floatModel(c, tensors).forward(ids, 'all')
    const error = Math.max(...whole.map((value, i) => Math.abs(value - exact[i])))
    expect(error).toBeGreaterThan(0)
    expect(error).toBeLessThan(1e-5)
    expect([...whole].every((value) => Math.fround(value) === value)).toBe(true)
  })

  test('cached decoding equals a full prefill', () => {
    const model = floatModel(c, tensors, undefined, 'float32')
    const parts = [...model.forward(ids.slice(0, 5), 'all')]
    for (const id of ids.slice(5)) parts.push(...model.forward([id]))
    expect(parts).toEqual([...whole])
  })
})

test('LLaMA written as formulas, with grouped heads, an untied head and scaled rotation', () => {
  const c: ModelConfig = {
    ...config,
    tied: false,
    ropeScaling: { kind: 'llama3', factor: 4, low: 1, high: 4, original: 12 },
  }
  const tensors = randomModel(c, 11)
  const w = (name: string): Float32Array => tensors.get(name)!.data
  const times = (x: number[], m: Float32Array): number[] =>
    Array.from({ length: m.length / x.length }, (_, o) =>
      x.reduce((sum, v, i) => sum + v * m[o * x.length + i], 0),
    )
  const normed = (x: number[], gain: Float32Array): number[] => {
    const rms = Math.hypot(...x) / Math.sqrt(x.length)
    return x.map((v, i) => (v / Math.sqrt(rms * rms + c.eps)) * gain[i])
  }
  // Each pair is a complex number, multiplied by exp(i m f).
  const turn = (x: number[], m: number): number[] => {
    const out = [...x]
    for (let h = 0; h < x.length; h += 8)
      for (let i = 0; i < 4; i++) {
        const f = 10000 ** (-i / 4)
        const turns = (12 * f) / (2 * Math.PI)
        const smooth = (turns - 1) / 3
        const slow = turns < 1 ? f / 4 : turns > 4 ? f : (1 - smooth) * (f / 4) + smooth * f
        const [re, im] = [x[h + i], x[h + i + 4]]
        out[h + i] = Math.hypot(re, im) * Math.cos(Math.atan2(im, re) + m * slow)
        out[h + i + 4] = Math.hypot(re, im) * Math.sin(Math.atan2(im, re) + m * slow)
      }
    return out
  }
  let xs = ids.map((id) => [...w('model.embed_tokens.weight').subarray(id * 32, id * 32 + 32)])
  for (let layer = 0; layer < c.layers; layer++) {
    const p = `model.layers.${layer}.`
    const ns = xs.map((x) => normed(x, w(`${p}input_layernorm.weight`)))
    const qs = ns.map((n, t) => turn(times(n, w(`${p}self_attn.q_proj.weight`)), t))
    const ks = ns.map((n, t) => turn(times(n, w(`${p}self_attn.k_proj.weight`)), t))
    const vs = ns.map((n) => times(n, w(`${p}self_attn.v_proj.weight`)))
    xs = xs.map((x, t) => {
      const mixed = Array.from({ length: 32 }, (_, j) => {
        const head = Math.floor(j / 8)
        const kv = Math.floor(head / 2) * 8
        const e = ks.slice(0, t + 1).map((k) => {
          let dot = 0
          for (let i = 0; i < 8; i++) dot += qs[t][head * 8 + i] * k[kv + i]
          return Math.exp(dot / Math.sqrt(8))
        })
        const total = e.reduce((a, b) => a + b)
        return e.reduce((sum, v, i) => sum + (v / total) * vs[i][kv + (j % 8)], 0)
      })
      return times(mixed, w(`${p}self_attn.o_proj.weight`)).map((v, i) => v + x[i])
    })
    xs = xs.map((x) => {
      const n = normed(x, w(`${p}post_attention_layernorm.weight`))
      const g = times(n, w(`${p}mlp.gate_proj.weight`))
      const h = times(n, w(`${p}mlp.up_proj.weight`)).map((u, i) => (u * g[i]) / (1 + Math.exp(-g[i])))
      return times(h, w(`${p}mlp.down_proj.weight`)).map((v, i) => v + x[i])
    })
  }
  const expected = xs.flatMap((x) => times(normed(x, w('model.norm.weight')), w('lm_head.weight')))
  const logits = floatModel(c, tensors).forward(ids, 'all')
  expect(Math.max(...expected.map((v, i) => Math.abs(v - logits[i])))).toBeLessThan(1e-11)
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
    rotate(x, rotaryFrequencies(c), position, 8)
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
