/** LLaMA, Mistral and Mixtral as llama.cpp has them. */
import type { HfConfig, HfReader } from '../../../src/model/architectures/hf-reader.ts'
import type { GgufForm, GgufSource } from './form.ts'
import type { GgufValue } from './gguf-file.ts'

export const llamaForm: GgufForm = {
  modelTypes: ['llama', 'mistral', 'mixtral'],
  facts(read) {
    const { dim, heads, kvHeads, width } = headsOf(read)
    const at = (name: string): string => `llama.${name}`
    return {
      'general.architecture': { string: 'llama' },
      [at('context_length')]: { u32: read.size('max_position_embeddings', 2048) },
      [at('embedding_length')]: { u32: dim },
      [at('block_count')]: { u32: read.layers('num_hidden_layers', 32) },
      [at('feed_forward_length')]: { u32: read.size('intermediate_size', 11008) },
      [at('attention.head_count')]: { u32: heads },
      [at('attention.head_count_kv')]: { u32: kvHeads },
      [at('attention.key_length')]: { u32: width },
      [at('attention.value_length')]: { u32: width },
      [at('attention.layer_norm_rms_epsilon')]: { f32: read.number('rms_norm_eps', 1e-6) },
      [at('rope.dimension_count')]: { u32: width },
      [at('rope.freq_base')]: { f32: read.number('rope_theta', 10000) },
      [at('vocab_size')]: { u32: read.size('vocab_size', 32000) },
      ...scalingOf(read),
      ...(isMixtral(read)
        ? {
            [at('expert_count')]: { u32: read.size('num_local_experts', 8) },
            [at('expert_used_count')]: { u32: read.size('num_experts_per_tok', 2) },
          }
        : {}),
    }
  },
  tensors(read) {
    const layers = read.layers('num_hidden_layers', 32)
    return [
      { name: 'token_embd.weight', from: ['model.embed_tokens.weight'] },
      ...Array.from({ length: layers }, (_, layer) => layerOf(read, layer)).flat(),
      { name: 'output_norm.weight', from: ['model.norm.weight'], isSingle: true },
      { name: 'output.weight', from: ['lm_head.weight'] },
    ]
  },
}

const isMixtral = ({ json }: HfReader): boolean => json.model_type === 'mixtral'

function headsOf(read: HfReader) {
  const dim = read.size('hidden_size', 4096)
  const heads = read.size('num_attention_heads', 32)
  return {
    dim,
    heads,
    kvHeads: read.size('num_key_value_heads', heads),
    width: read.size('head_dim', dim / heads),
  }
}

/** Rotary scaling, as far as facts can say it. */
function scalingOf(read: HfReader): Record<string, GgufValue> {
  const scaling = (read.json.rope_scaling ?? {}) as HfConfig
  const kind = scaling.rope_type ?? scaling.type ?? 'default'
  if (kind === 'default') return {}
  if (kind !== 'linear' || typeof scaling.factor !== 'number')
    return read.refuse('rope_scaling', 'GGUF is written for linear scaling only')
  return {
    'llama.rope.scaling.type': { string: 'linear' },
    'llama.rope.scaling.factor': { f32: scaling.factor },
  }
}

function layerOf(read: HfReader, layer: number): GgufSource[] {
  const { heads, kvHeads } = headsOf(read)
  const [to, at] = [`blk.${layer}`, `model.layers.${layer}`]
  const attention = [
    ['attn_q', 'q_proj', heads],
    ['attn_k', 'k_proj', kvHeads],
    ['attn_v', 'v_proj', undefined],
    ['attn_output', 'o_proj', undefined],
  ] as const
  return [
    { name: `${to}.attn_norm.weight`, from: [`${at}.input_layernorm.weight`], isSingle: true },
    ...attention.flatMap(([name, from, interleaved]) => {
      const turned = interleaved === undefined ? {} : { interleaved }
      const bias = { isSingle: true, isOptional: true, ...turned }
      return [
        { name: `${to}.${name}.weight`, from: [`${at}.self_attn.${from}.weight`], ...turned },
        { name: `${to}.${name}.bias`, from: [`${at}.self_attn.${from}.bias`], ...bias },
      ]
    }),
    { name: `${to}.ffn_norm.weight`, from: [`${at}.post_attention_layernorm.weight`], isSingle: true },
    ...(isMixtral(read) ? experts(read, to, `${at}.block_sparse_moe`) : gated(to, `${at}.mlp`)),
  ]
}

const gated = (to: string, at: string): GgufSource[] =>
  ['gate', 'up', 'down'].flatMap((part) => [
    { name: `${to}.ffn_${part}.weight`, from: [`${at}.${part}_proj.weight`] },
    { name: `${to}.ffn_${part}.bias`, from: [`${at}.${part}_proj.bias`], isSingle: true, isOptional: true },
  ])

function experts(read: HfReader, to: string, at: string): GgufSource[] {
  const count = read.size('num_local_experts', 8)
  const all = (matrix: string) =>
    Array.from({ length: count }, (_, expert) => `${at}.experts.${expert}.${matrix}.weight`)
  return [
    { name: `${to}.ffn_gate_inp.weight`, from: [`${at}.gate.weight`], isSingle: true },
    { name: `${to}.ffn_gate_exps.weight`, from: all('w1') },
    { name: `${to}.ffn_down_exps.weight`, from: all('w2') },
    { name: `${to}.ffn_up_exps.weight`, from: all('w3') },
  ]
}
