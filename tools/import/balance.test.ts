import { expect, test } from 'vitest'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { floatModel } from '../../src/model/graph/decoder-model.ts'
import { encoderModel } from '../../src/model/graph/encoder-model.ts'
import { continuesText } from '../../src/model/graph/graph-of.ts'
import { randomModel } from '../../src/model/random.ts'
import { smallConfigs } from '../../test/support/checkpoint-folder.ts'
import { hardened } from '../evaluate/hard-model.ts'
import { applyScaling, balance } from './balance.ts'

const wide: ModelConfig = { ...smallConfigs.llama, dim: 32, ff: 48 }

function results(config: ModelConfig, tensors: Tensors): number[] {
  if (!continuesText(config)) return [...encoderModel(config, tensors).forward({ ids: [1, 2, 3] }).logits!]
  return [...floatModel(config, tensors).forward([1, 2, 3], 'all')]
}

async function balanced(config: ModelConfig, tensors: Tensors): Promise<string[]> {
  const scalings = await balance(config, (name) => tensors.get(name)!)
  for (const [name, tensor] of tensors) applyScaling(config, tensor, scalings.get(name))
  return [...scalings.keys()].filter((name) => tensors.has(name))
}

test('nothing is touched where nothing stands out', async () => {
  expect((await balance(wide, (name) => randomModel(wide, 3).get(name)!)).size).toBe(0)
})

test('outliers are scaled away, and no result changes by a bit', async () => {
  const easy = randomModel(wide, 3)
  const tensors = hardened(wide, easy, { gain: 1, outliers: 6, massive: 0 })
  const before = results(wide, tensors)
  await balanced(wide, tensors)
  expect(results(wide, tensors)).toEqual(before)
  const largest = (t: Tensors, name: string) => Math.max(...t.get(name)!.data.map(Math.abs))
  for (const part of ['mlp.up_proj', 'self_attn.v_proj', 'mlp.down_proj', 'self_attn.o_proj']) {
    const name = `model.layers.0.${part}.weight`
    expect(largest(tensors, name)).toBeLessThan(3 * largest(easy, name))
  }
})

test('queries and keys are evened out, in rotary pairs and groups', async () => {
  const tensors = randomModel(wide, 3)
  const rows = (name: string, chosen: number[], by: number): void => {
    const { data } = tensors.get(`model.layers.0.self_attn.${name}_proj.weight`)!
    for (const row of chosen) for (let i = 0; i < 32; i++) data[row * 32 + i] *= by
  }
  // Key head 1 serves heads 2 and 3; its pair 2 is components 2 and 6 of 8.
  rows('k', [10, 14], 256)
  rows('q', [18, 22, 26, 30], 1 / 256)
  const before = results(wide, tensors)
  expect(await balanced(wide, tensors)).toEqual([
    'model.layers.0.self_attn.q_proj.weight',
    'model.layers.0.self_attn.k_proj.weight',
  ])
  expect(results(wide, tensors)).toEqual(before)
  const keys = tensors.get('model.layers.0.self_attn.k_proj.weight')!.data
  expect(Math.max(...keys.map(Math.abs))).toBeLessThan(30)
})

test.each(['gpt2', 'bert'] as const)('outlier values of %s', async (form) => {
  const config: ModelConfig = smallConfigs[form]
  const tensors = randomModel(config, 3)
  const isGpt2 = form === 'gpt2'
  const [value, out] = isGpt2
    ? ['h.1.attn.c_attn', 'h.1.attn.c_proj']
    : ['bert.encoder.layer.1.attention.self.value', 'bert.encoder.layer.1.attention.output.dense']
  const scale = (name: string, at: (i: number) => boolean, by: number): void => {
    const { data } = tensors.get(name)!
    for (let i = 0; i < data.length; i++) if (at(i)) data[i] *= by
  }
  // Value channel 5: column 32 + 5 of 48 in [in, out], or row 5 in [out, in]; read by row 5, or by column 5.
  scale(`${value}.weight`, (i) => (isGpt2 ? i % 48 === 37 : Math.floor(i / 16) === 5), 64)
  scale(`${value}.bias`, (i) => i === (isGpt2 ? 37 : 5), 64)
  scale(`${out}.weight`, (i) => (isGpt2 ? Math.floor(i / 16) === 5 : i % 16 === 5), 1 / 64)
  const before = results(config, tensors)
  const touched = await balanced(config, tensors)
  expect(touched).toEqual(expect.arrayContaining([`${value}.weight`, `${value}.bias`, `${out}.weight`]))
  expect(results(config, tensors)).toEqual(before)
  const { data } = tensors.get(`${value}.weight`)!
  expect(Math.max(...data.map(Math.abs))).toBeLessThan(6)
})
