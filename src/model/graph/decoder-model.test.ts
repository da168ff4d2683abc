import { describe, expect, test } from 'vitest'
import { parameterCount } from '../../../test/support/parameter-count.ts'
import { twinLogits } from '../../../test/twins/decoders.ts'
import { demoConfig, type ModelConfig, type RopeScaling } from '../architectures/config.ts'
import { randomModel } from '../random.ts'
import { floatModel } from './decoder-model.ts'

const config: ModelConfig = {
  ...demoConfig,
  vocab: 60,
  dim: 32,
  layers: 2,
  ff: 40,
  context: 24,
}
const ids = Array.from({ length: 20 }, (_, i) => (i * 7 + 3) % 60)

test.each([
  ['llama', 2],
  ['gpt2', 4],
])('%s: cached decoding equals a full prefill', (arch, kvHeads) => {
  const c: ModelConfig = { ...config, arch, kvHeads, activation: 'silu' }
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

describe.each([
  ['llama', 2],
  ['gpt2', 4],
])('%s in float32', (arch, kvHeads) => {
  const c: ModelConfig = { ...config, arch, kvHeads }
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

const gpt2: ModelConfig = { ...config, arch: 'gpt2', kvHeads: 4, activation: 'gelu_tanh', tied: true }
const lora = { rank: 2, alpha: 3, targets: ['q_proj', 'o_proj', 'up_proj', 'c_attn', 'c_proj'] }
const ropeScaling = { kind: 'llama3', factor: 4, low: 1, high: 4, original: 12 } as const

const gemma = { activation: 'gelu_tanh', headDim: 12 } as const
const phiLora = { rank: 2, alpha: 3, targets: ['qkv_proj', 'gate_up_proj', 'down_proj'] }
const yarn = {
  kind: 'yarn',
  factor: 2,
  original: 12,
  fast: 2,
  slow: 0.5,
  truncate: true,
  attention: 1.1,
} as const
const longrope: RopeScaling = {
  kind: 'longrope',
  factor: 2,
  original: 12,
  attention: 1.19,
  short: [1.1, 1.4],
  long: [1.3, 4],
}

describe.each<[string, ModelConfig]>([
  ['LLaMA, its rotation scaled and its head untied', { ...config, tied: false, ropeScaling }],
  ['LLaMA with adapters', { ...config, lora }],
  ['LLaMA with soft-capped logits', { ...config, softcap: 2 }],
  ['LLaMA under a constant cap', { ...config, softmaxCap: 6 }],
  ['LLaMA with wide heads', { ...config, headDim: 12 }],
  ['LLaMA stretched by YaRN', { ...config, ropeScaling: yarn }],
  ['LLaMA stretched by LongRoPE', { ...config, headDim: 4, ropeScaling: longrope }],
  [
    'LLaMA within the context that LongRoPE stretches',
    { ...config, headDim: 4, ropeScaling: { ...longrope, original: 24 } },
  ],
  ['Qwen2', { ...config, arch: 'qwen2' }],
  ['Qwen3', { ...config, arch: 'qwen3', headDim: 12 }],
  ['Phi-3 whose heads turn in part', { ...config, arch: 'phi3', headDim: 12, rotaryDim: 8 }],
  [
    'Phi-3 whose heads turn in part, stretched',
    { ...config, arch: 'phi3', headDim: 6, rotaryDim: 4, ropeScaling: longrope },
  ],
  ['Gemma', { ...config, ...gemma, arch: 'gemma' }],
  ['Gemma 2', { ...config, ...gemma, arch: 'gemma2', softcap: 3, logitCap: 4, scoreDim: 20 }],
  ['Gemma 3', { ...config, ...gemma, arch: 'gemma3', localRotary: { theta: 100, layers: [0] } }],
  ['StableLM', { ...config, arch: 'stablelm', rotaryDim: 2 }],
  ['StableLM 2', { ...config, arch: 'stablelm-2', rotaryDim: 4 }],
  ['Phi-3', { ...config, arch: 'phi3' }],
  ['Phi-3 with wide heads and adapters', { ...config, arch: 'phi3', headDim: 10, lora: phiLora }],
  ['GPT-2', gpt2],
  ['GPT-2 with the exact GELU and an untied head', { ...gpt2, activation: 'gelu', tied: false }],
  ['GPT-2 with adapters', { ...gpt2, lora }],
  ['parallel blocks with a linear gate', { ...config, arch: 'parallel-llama', activation: 'linear' }],
  ['parallel blocks with SiLU', { ...config, arch: 'parallel-llama' }],
])('%s', (_, c) => {
  const tensors = randomModel(c, 11)
  const expected = twinLogits(c, tensors, ids)
  // Merged weights are rounded to float32; the twin keeps adapters apart.
  const close = c.lora ? 2e-6 : 1e-11
  const furthest = (got: ArrayLike<number>): number =>
    Math.max(...expected.map((value, i) => Math.abs(value - got[i])))

  test('is what its paper says', () => {
    const logits = floatModel(c, tensors).forward(ids, 'all')
    expect(logits.length).toBe(expected.length)
    expect(furthest(logits)).toBeLessThan(close)
  })

  test('is so token by token, too, and after others were forgotten', () => {
    const model = floatModel(c, tensors)
    const first = model.forward(ids.slice(0, 5), 'all')
    model.forward([1, 2, 3])
    model.rewind(5)
    const rest = ids.slice(5).flatMap((id) => [...model.forward([id])])
    expect(furthest([...first, ...rest])).toBeLessThan(close)
  })
})

test('a form that nobody knows is refused by name', () => {
  expect(() => floatModel({ ...config, arch: 'mamba' }, new Map())).toThrow('no architecture "mamba"')
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
  const { dim, ff } = config
  for (const [name, width] of Object.entries({
    'attention-input': dim,
    'attention-normalised': dim,
    'attention-mean-square': 1,
    query: dim,
    key: 16,
    value: 16,
    'mixed-values': dim,
    'feed-forward-input': dim,
    'feed-forward-normalised': dim,
    'feed-forward-mean-square': 1,
    gate: ff,
    up: ff,
    gated: ff,
  }))
    for (const layer of [0, 1]) expect([name, seen.get(name + layer)?.length]).toEqual([name, n * width])
  for (const what of ['input', 'mean-square', 'normalised']) expect(seen.has(`final-${what}2`)).toBe(true)
  const x = seen.get('attention-input1')!
  const normal = seen.get('attention-normalised1')!
  const square = seen.get('attention-mean-square1')!
  expect(normal[0]).toBeCloseTo(x[0] / Math.sqrt(square[0] + config.eps), 12)
  // The last query sees all six positions in each of the four heads; the first only itself.
  expect(seen.get('attention-logits1')!.length).toBe(4 * (1 + 2 + 3 + 4 + 5 + 6))
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
