import { expect, test } from 'vitest'
import { demoConfig, type ModelConfig } from '../architectures/config.ts'
import { isOfLayer, tensorShapes } from './tensors.ts'

const small: ModelConfig = {
  ...demoConfig,
  vocab: 11,
  dim: 8,
  layers: 1,
  heads: 4,
  kvHeads: 2,
  ff: 12,
  context: 6,
}
const gpt2: ModelConfig = { ...small, arch: 'gpt2', kvHeads: 4 }
const bert: ModelConfig = { ...gpt2, arch: 'bert', types: 2, head: { kind: 'mlm' } }

test('LLaMA: key heads are fewer, nothing has a bias', () => {
  expect([...tensorShapes(small)]).toEqual([
    ['model.embed_tokens.weight', [11, 8]],
    ['model.layers.0.input_layernorm.weight', [8]],
    ['model.layers.0.self_attn.q_proj.weight', [8, 8]],
    ['model.layers.0.self_attn.k_proj.weight', [4, 8]],
    ['model.layers.0.self_attn.v_proj.weight', [4, 8]],
    ['model.layers.0.self_attn.o_proj.weight', [8, 8]],
    ['model.layers.0.post_attention_layernorm.weight', [8]],
    ['model.layers.0.mlp.gate_proj.weight', [12, 8]],
    ['model.layers.0.mlp.up_proj.weight', [12, 8]],
    ['model.layers.0.mlp.down_proj.weight', [8, 12]],
    ['model.norm.weight', [8]],
  ])
})

test('GPT-2: inputs come first, and one matrix holds queries, keys and values', () => {
  expect(Object.fromEntries(tensorShapes({ ...gpt2, tied: false }))).toMatchObject(
    Object.fromEntries([
      ['wpe.weight', [6, 8]],
      ['h.0.attn.c_attn.weight', [8, 24]],
      ['h.0.attn.c_attn.bias', [24]],
      ['h.0.mlp.c_fc.weight', [8, 12]],
      ['ln_f.bias', [8]],
      ['lm_head.weight', [11, 8]],
    ]),
  )
})

test("BERT: a norm behind each block, and the head's own tensors last", () => {
  const names = [...tensorShapes(bert).keys()]
  expect(names.slice(3, 7)).toEqual([
    'bert.embeddings.LayerNorm.weight',
    'bert.embeddings.LayerNorm.bias',
    'bert.encoder.layer.0.attention.self.query.weight',
    'bert.encoder.layer.0.attention.self.query.bias',
  ])
  expect(names.slice(-7)).toEqual([
    'bert.encoder.layer.0.output.LayerNorm.weight',
    'bert.encoder.layer.0.output.LayerNorm.bias',
    'cls.predictions.transform.dense.weight',
    'cls.predictions.transform.dense.bias',
    'cls.predictions.transform.LayerNorm.weight',
    'cls.predictions.transform.LayerNorm.bias',
    'cls.predictions.bias',
  ])
  expect(Object.fromEntries(tensorShapes({ ...bert, arch: 'roberta', positionOffset: 2 }))).toMatchObject(
    Object.fromEntries([['roberta.embeddings.position_embeddings.weight', [8, 8]]]),
  )
})

test('adapters follow, in their own orientation whatever the matrix has', () => {
  const lora = { rank: 2, alpha: 4, targets: ['c_attn', 'c_fc'] }
  expect([...tensorShapes({ ...gpt2, lora })].slice(-4)).toEqual([
    ['h.0.attn.c_attn.lora_A.weight', [2, 8]],
    ['h.0.attn.c_attn.lora_B.weight', [24, 2]],
    ['h.0.mlp.c_fc.lora_A.weight', [2, 8]],
    ['h.0.mlp.c_fc.lora_B.weight', [12, 2]],
  ])
})

test.each([
  [gpt2, 'h.0.attn.bias', true],
  [gpt2, 'transformer.h.3.mlp.c_fc.weight', true],
  [gpt2, 'wte.weight', false],
  [small, 'layers.2.self_attn.q_proj.bias', true],
  [small, 'model.norm.weight', false],
  [bert, 'encoder.layer.1.crossattention.self.query.weight', true],
  [bert, 'bert.pooler.dense.weight', false],
])('$arch: whether %s is of a layer', (config, name, expected) => {
  expect(isOfLayer(config, name)).toBe(expected)
})
