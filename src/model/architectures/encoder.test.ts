import { describe, expect, it, test } from 'vitest'
import { erf } from '../math.ts'
import { randomModel } from '../random.ts'
import type { ModelConfig, Tensors } from './config.ts'
import { encoderModel } from './encoder.ts'

const bert: ModelConfig = {
  arch: 'bert',
  vocab: 19,
  dim: 8,
  layers: 2,
  heads: 2,
  kvHeads: 2,
  ff: 12,
  eps: 1e-12,
  context: 10,
  activation: 'gelu',
  tied: true,
  types: 2,
  head: { kind: 'classify', labels: ['no', 'yes', 'perhaps'] },
}

const roberta: ModelConfig = { ...bert, arch: 'roberta', types: 1, positionOffset: 2, eps: 1e-5 }

/** Encoders written a second time, as formulas over arrays of rows. */
function formula(c: ModelConfig, tensors: Tensors, ids: number[], types: number[]): number[][] {
  const get = (name: string) => Array.from(tensors.get(name)!.data)
  const row = (name: string, i: number) => get(name).slice(i * c.dim, (i + 1) * c.dim)
  const plus = (...parts: number[][]) => parts[0].map((_, i) => parts.reduce((sum, part) => sum + part[i], 0))
  const dense = (x: number[], name: string) => {
    const w = get(`${name}.weight`)
    return get(`${name}.bias`).map((b, o) => x.reduce((sum, v, i) => sum + v * w[o * x.length + i], b))
  }
  const norm = (x: number[], name: string) => {
    const mean = x.reduce((a, b) => a + b) / x.length
    const deviation = Math.sqrt(x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length + c.eps)
    const [gain, bias] = [get(`${name}.weight`), get(`${name}.bias`)]
    return x.map((v, i) => ((v - mean) / deviation) * gain[i] + bias[i])
  }
  const gelu = (x: number) => (x / 2) * (1 + erf(x / Math.SQRT2))
  const cap = (x: number) => (c.softcap ? c.softcap * Math.tanh(x / c.softcap) : x)
  const weigh = (x: number) => (c.softmaxCap ? (1 + (x - c.softmaxCap) / 256) ** 256 : Math.exp(x))
  const hd = c.dim / c.heads
  const at = `${c.arch}.`
  const table = (name: string) => `${at}embeddings.${name}_embeddings.weight`
  let xs = ids.map((id, t) =>
    norm(
      plus(
        row(table('word'), id),
        row(table('position'), t + (c.positionOffset ?? 0)),
        row(table('token_type'), types[t]),
      ),
      `${at}embeddings.LayerNorm`,
    ),
  )
  for (let l = 0; l < c.layers; l++) {
    const p = `${at}encoder.layer.${l}.`
    const [q, k, v] = ['query', 'key', 'value'].map((name) =>
      xs.map((x) => dense(x, `${p}attention.self.${name}`)),
    )
    const mixed = xs.map((_, t) =>
      Array.from({ length: c.dim }, (_, j) => {
        const head = Math.floor(j / hd) * hd
        const weights = xs.map((_, s) => {
          let dot = 0
          for (let i = head; i < head + hd; i++) dot += q[t][i] * k[s][i]
          return weigh(cap(dot / hd ** 0.5))
        })
        const total = weights.reduce((a, b) => a + b)
        return weights.reduce((sum, w, s) => sum + (w / total) * v[s][j], 0)
      }),
    )
    const after = (x: number[], y: number[], name: string) => norm(plus(x, y), `${p}${name}.LayerNorm`)
    xs = xs.map((x, t) => after(x, dense(mixed[t], `${p}attention.output.dense`), 'attention.output'))
    xs = xs.map((x) =>
      after(x, dense(dense(x, `${p}intermediate.dense`).map(gelu), `${p}output.dense`), 'output'),
    )
  }
  if (!c.head) return xs
  if (c.head.kind === 'classify') {
    const [pool, out] =
      c.arch === 'bert' ? ['bert.pooler.dense', 'classifier'] : ['classifier.dense', 'classifier.out_proj']
    return [dense(dense(xs[0], pool).map(Math.tanh), out)]
  }
  const transform = c.arch === 'bert' ? 'cls.predictions.transform.' : 'lm_head.'
  const normName = c.arch === 'bert' ? `${transform}LayerNorm` : `${transform}layer_norm`
  const bias = get(c.arch === 'bert' ? 'cls.predictions.bias' : 'lm_head.bias')
  return xs.map((x) => {
    const y = norm(dense(x, `${transform}dense`).map(gelu), normName)
    return bias.map((b, id) => row(table('word'), id).reduce((sum, w, i) => sum + w * y[i], b))
  })
}

const ids = [3, 1, 4, 1, 5, 9, 2]
const types = [0, 0, 0, 0, 1, 1, 1]

const mlm = { kind: 'mlm' } as const
const cases: [string, ModelConfig][] = [
  ['a BERT classifier', bert],
  ['a RoBERTa classifier', roberta],
  ['a BERT masked language model', { ...bert, head: mlm }],
  ['a RoBERTa masked language model', { ...roberta, head: mlm }],
  ['no head', { ...bert, head: undefined }],
  ['soft-capped logits', { ...bert, softcap: 2 }],
  ['a softmax with a constant cap', { ...bert, softmaxCap: 6 }],
]

describe.each(cases)('%s', (_, config) => {
  test('agrees with the model written as formulas', () => {
    const tensors = randomModel(config, 9)
    const own = config.types === 1 ? ids.map(() => 0) : types
    const { hidden, logits } = encoderModel(config, tensors).forward({ ids, types: own })
    const expected = formula(config, tensors, ids, own).flat()
    const got = logits ?? hidden
    expect(got.length).toBe(expected.length)
    expect(Math.max(...expected.map((value, i) => Math.abs(value - got[i])))).toBeLessThan(1e-11)
  })
})

it('masked tokens change nothing, whatever they are', () => {
  const model = encoderModel(bert, randomModel(bert, 3))
  const { logits } = model.forward({ ids, types })
  const mask = [1, 1, 1, 1, 1, 1, 1, 0, 0]
  const padded = model.forward({ ids: [...ids, 8, 7], types: [...types, 0, 1], mask })
  expect(padded.logits).toEqual(logits)
})

it('adapters count', () => {
  const config = { ...bert, lora: { rank: 2, alpha: 4, targets: ['query', 'dense'] } }
  const tensors = randomModel(config, 4)
  const name = 'bert.encoder.layer.0.intermediate.dense'
  const merged: Tensors = new Map(tensors)
  for (const weight of [...tensors.keys()].filter((n) => n.endsWith('.lora_A.weight'))) {
    const base = weight.replace('.lora_A', '')
    const [a, b] = [tensors.get(weight)!, tensors.get(weight.replace('_A', '_B'))!]
    const { shape, data } = tensors.get(base)!
    const [outputs, inputs] = shape
    const sum = Float32Array.from(data)
    for (let o = 0; o < outputs; o++)
      for (let i = 0; i < inputs; i++)
        for (let r = 0; r < 2; r++) sum[o * inputs + i] += 2 * b.data[o * 2 + r] * a.data[r * inputs + i]
    merged.set(base, { shape, data: sum })
  }
  expect(merged.get(`${name}.weight`)).not.toEqual(tensors.get(`${name}.weight`))
  const got = encoderModel(config, tensors).forward({ ids, types }).logits!
  const expected = formula(bert, merged, ids, types)[0]
  expected.forEach((value, i) => {
    expect(got[i]).toBeCloseTo(value, 5)
  })
})

it('what is outside a table is refused', () => {
  const model = encoderModel(roberta, randomModel(roberta, 3))
  expect(() => model.forward({ ids: [1, 19] })).toThrow('outside the vocabulary')
  expect(() => model.forward({ ids: [1, 2], types: [0, 1] })).toThrow('Token type 1')
  expect(() => model.forward({ ids: new Array(11).fill(1) })).toThrow('context of 10')
})

test.each([bert, roberta])('$arch in float32 is close to float64, and not the same', (config) => {
  const tensors = randomModel(config, 4)
  const input = { ids: [3, 1, 4, 1, 5], mask: [1, 1, 1, 0, 1] }
  const exact = encoderModel(config, tensors).forward(input)
  const { hidden, logits } = encoderModel(config, tensors, undefined, 'float32').forward(input)
  for (const [got, want] of [
    [hidden, exact.hidden],
    [logits!, exact.logits!],
  ]) {
    const error = Math.max(...got.map((value, i) => Math.abs(value - want[i])))
    expect(error).toBeGreaterThan(0)
    expect(error).toBeLessThan(1e-5)
    expect(got.every((value) => Math.fround(value) === value)).toBe(true)
  }
})
