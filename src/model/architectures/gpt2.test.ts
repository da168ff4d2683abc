import { describe, expect, test } from 'vitest'
import { erf } from '../math.ts'
import { randomModel } from '../random.ts'
import type { ModelConfig, Tensors } from './config.ts'
import { gpt2Model } from './gpt2.ts'

const base: ModelConfig = {
  arch: 'gpt2',
  vocab: 17,
  dim: 8,
  layers: 2,
  heads: 2,
  kvHeads: 2,
  ff: 12,
  eps: 1e-5,
  context: 10,
  activation: 'gelu_tanh',
  tied: true,
}

/** GPT-2 written a second time, as formulas over arrays of rows and straight from the [in, out] files. */
function formula(c: ModelConfig, tensors: Tensors, ids: number[]): number[][] {
  const get = (name: string) => tensors.get(name)!.data
  const row = (m: Float32Array, i: number) => Array.from(m.subarray(i * c.dim, (i + 1) * c.dim))
  const conv = (x: number[], name: string) => {
    const bias = get(`${name}.bias`)
    const weight = get(`${name}.weight`)
    return Array.from(bias, (b, o) =>
      x.reduce((sum, value, i) => sum + value * weight[i * bias.length + o], b),
    )
  }
  const norm = (x: number[], name: string) => {
    const mean = x.reduce((a, b) => a + b) / x.length
    const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length
    return x.map(
      (value, i) =>
        ((value - mean) / (variance + c.eps) ** 0.5) * get(`${name}.weight`)[i] + get(`${name}.bias`)[i],
    )
  }
  const act = (x: number) =>
    c.activation === 'gelu'
      ? (x / 2) * (1 + erf(x / 2 ** 0.5))
      : (x / 2) * (1 + Math.tanh((2 / Math.PI) ** 0.5 * (x + 0.044715 * x * x * x)))
  const plus = (a: number[], b: number[]) => a.map((value, i) => value + b[i])
  const hd = c.dim / c.heads

  let xs = ids.map((id, t) => plus(row(get('wte.weight'), id), row(get('wpe.weight'), t)))
  for (let layer = 0; layer < c.layers; layer++) {
    const qkv = xs.map((x) => conv(norm(x, `h.${layer}.ln_1`), `h.${layer}.attn.c_attn`))
    const mixed = qkv.map((now, t) =>
      Array.from({ length: c.dim }, (_, j) => {
        const head = Math.floor(j / hd) * hd
        const past = qkv.slice(0, t + 1)
        const e = past.map((then) => {
          let dot = 0
          for (let i = 0; i < hd; i++) dot += now[head + i] * then[c.dim + head + i]
          return Math.exp(dot / hd ** 0.5)
        })
        const total = e.reduce((a, b) => a + b)
        return past.reduce((sum, then, p) => sum + (e[p] / total) * then[2 * c.dim + j], 0)
      }),
    )
    xs = xs.map((x, t) => plus(x, conv(mixed[t], `h.${layer}.attn.c_proj`)))
    xs = xs.map((x) => {
      const h = conv(norm(x, `h.${layer}.ln_2`), `h.${layer}.mlp.c_fc`).map(act)
      return plus(x, conv(h, `h.${layer}.mlp.c_proj`))
    })
  }
  return xs.map((x) => {
    const n = norm(x, 'ln_f')
    return Array.from({ length: c.vocab }, (_, v) =>
      row(get('wte.weight'), v).reduce((sum, w, i) => sum + w * n[i], 0),
    )
  })
}

describe.each(['gelu', 'gelu_tanh'] as const)('with %s', (activation) => {
  test('agrees with GPT-2 written as formulas', () => {
    const config = { ...base, activation }
    const tensors = randomModel(config, 9)
    const ids = [3, 1, 4, 1, 5, 9, 2]
    const logits = gpt2Model(config, tensors).forward(ids, 'all')
    const expected = formula(config, tensors, ids).flat()
    expect(Math.max(...expected.map((value, i) => Math.abs(value - logits[i])))).toBeLessThan(1e-12)
  })
})

test('grouped key heads are refused', () => {
  expect(() => gpt2Model({ ...base, kvHeads: 1 }, new Map())).toThrow('as many key heads')
})
