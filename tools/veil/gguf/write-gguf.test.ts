/** GGUF files of veiled folders: what is in them, and that nothing is left that names a word. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { HfConfig } from '../../../src/model/architectures/hf-reader.ts'
import { randomCheckpoint, readCheckpoint, writeCheckpoint } from '../../../test/support/veil/checkpoint.ts'
import { readGguf } from '../../../test/support/veil/gguf.ts'
import { veilModel } from '../veil.ts'
import { GGUF_FILE } from './write-gguf.ts'

const dir = mkdtempSync(join(tmpdir(), 'sotto-gguf-'))
afterAll(() => rmSync(dir, { recursive: true }))

const decoder = {
  ...{ hidden_size: 32, num_attention_heads: 4, num_key_value_heads: 2, intermediate_size: 48 },
  ...{ num_hidden_layers: 2, vocab_size: 300, rms_norm_eps: 1e-5, max_position_embeddings: 40 },
  ...{ rope_theta: 10000, hidden_act: 'silu', eos_token_id: 5 },
}

async function veiled(name: string, config: HfConfig, without: RegExp, type: 'F32' | 'F16' = 'F32') {
  const [from, out] = [join(dir, name), join(dir, `${name}-cloud`)]
  writeCheckpoint(from, config, randomCheckpoint(config, 2, without), { type })
  await veilModel({ from, out, keys: join(dir, `${name}-keys`), group: 'bits', tenant: 'test', gguf: true })
  return { ...readGguf(join(out, GGUF_FILE)), stored: readCheckpoint(out) }
}

const floats = (bytes: Buffer): number[] => [...new Float32Array(Uint8Array.from(bytes).buffer)]

test('llama: rotary pairs side by side, everything else as it was', async () => {
  const { facts, tensors, stored } = await veiled('llama', { ...decoder, model_type: 'llama' }, /bias$/)
  expect(Object.fromEntries(facts)).toMatchObject({
    'general.architecture': 'llama',
    'llama.block_count': 2,
    'llama.attention.head_count_kv': 2,
    'llama.rope.dimension_count': 8,
    'llama.vocab_size': 300,
  })
  const down = tensors.get('blk.1.ffn_down.weight')!
  expect(down.shape).toEqual([32, 48])
  expect(floats(down.bytes)).toEqual([...stored.get('model.layers.1.mlp.down_proj.weight')!.data])
  const own = stored.get('model.layers.0.self_attn.k_proj.weight')!.data
  const rows = [0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15]
  const want = rows.flatMap((row) => [...own.subarray(32 * row, 32 * (row + 1))])
  expect(floats(tensors.get('blk.0.attn_k.weight')!.bytes)).toEqual(want)
  expect(tensors.size).toBe(3 + 2 * 9)
})

test('biases of rotary heads are interleaved as their rows are', async () => {
  const { tensors, stored } = await veiled(
    'biased',
    { ...decoder, model_type: 'llama' },
    /(mlp.*|o_proj)\.bias$/,
  )
  const own = stored.get('model.layers.0.self_attn.k_proj.bias')!.data
  const got = floats(tensors.get('blk.0.attn_k.bias')!.bytes)
  expect(got.slice(0, 4)).toEqual([own[0], own[4], own[1], own[5]])
})

test('mixtral: experts stacked, the router in float32', async () => {
  const config = { ...decoder, model_type: 'mixtral', num_local_experts: 4 }
  const { facts, tensors, stored } = await veiled('mixtral', config, /bias$/, 'F16')
  expect(facts.get('llama.expert_count')).toBe(4)
  expect(facts.get('llama.expert_used_count')).toBe(2)
  const up = tensors.get('blk.0.ffn_up_exps.weight')!
  expect(up).toMatchObject({ shape: [4, 48, 32], type: 1 })
  expect(tensors.get('blk.0.ffn_gate_inp.weight')).toMatchObject({ shape: [4, 32], type: 0 })
  const router = stored.get('model.layers.0.block_sparse_moe.gate.weight')!.data
  expect(floats(tensors.get('blk.0.ffn_gate_inp.weight')!.bytes)).toEqual([...router])
})

test('gpt2: matrices with their outputs as rows', async () => {
  const config = {
    ...{ model_type: 'gpt2', n_embd: 32, n_head: 4, n_layer: 1, n_inner: 64, vocab_size: 300 },
    ...{ n_positions: 40, activation_function: 'gelu_new' },
  }
  const { tensors, stored } = await veiled('gpt2', config, /^transformer|lm_head/)
  const own = stored.get('h.0.attn.c_attn.weight')!.data
  const qkv = tensors.get('blk.0.attn_qkv.weight')!
  expect(qkv.shape).toEqual([96, 32])
  expect(floats(qkv.bytes).slice(0, 3)).toEqual([own[0], own[96], own[192]])
  expect(tensors.get('position_embd.weight')!.shape).toEqual([40, 32])
})

test('the vocabulary says nothing but where the text ends, and has the 256 bytes', async () => {
  const { facts } = await veiled('words', { ...decoder, model_type: 'llama' }, /bias$/)
  const tokens = facts.get('tokenizer.ggml.tokens') as string[]
  const kinds = facts.get('tokenizer.ggml.token_type') as number[]
  expect(tokens).toHaveLength(300)
  for (let byte = 0; byte < 256; byte++)
    expect(tokens).toContain(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
  expect(tokens.every((token) => /^<(\d+|0x[0-9A-F]{2})>$/.test(token))).toBe(true)
  const eos = facts.get('tokenizer.ggml.eos_token_id') as number
  expect(kinds[eos]).toBe(3)
  expect(facts.get('tokenizer.ggml.add_bos_token')).toBe(false)
})

test.each([
  ['a family that it does not run so', { ...decoder, model_type: 'qwen2' }, 'qwen2'],
  ['too few tokens for the bytes', { ...decoder, model_type: 'llama', vocab_size: 97 }, '259'],
  [
    'scaling that it can’t say',
    { ...decoder, model_type: 'llama', rope_scaling: { rope_type: 'yarn' } },
    'yarn',
  ],
])('%s is refused before anything is written', async (name, config, word) => {
  const from = join(dir, name)
  writeCheckpoint(from, config, randomCheckpoint(config, 2, /bias$/))
  const out = join(dir, `${name}-cloud`)
  const failing = veilModel({ from, out, keys: join(dir, 'k'), group: 'bits', tenant: 'test', gguf: true })
  await expect(failing).rejects.toThrow(word)
  expect(existsSync(out)).toBe(false)
})
