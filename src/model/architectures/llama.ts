/** LLaMA and its kin: RMSNorm, rotary positions, grouped-query attention, gated feed-forward (Touvron et al., 2023). */
import type { Architecture } from './architecture.ts'
import { headDim, type ModelConfig } from './config.ts'
import { type HfConfig, type HfReader, llamaSizesToHf } from './hf-reader.ts'
import { ropeFromHf, ropeToHf } from './hf-rope.ts'

export const llama: Architecture = {
  name: 'llama',
  attention: 'causal',
  norm: 'rms',
  scores: 'scaled',
  positions: 'rotary',
  biases: 'none',
  layout: 'out-in',
  tensors: {
    tables: { token: 'model.embed_tokens.weight' },
    layers: 'model.layers',
    qkv: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
    attentionOutput: 'self_attn.o_proj',
    feedForward: ['mlp.gate_proj', 'mlp.up_proj'],
    feedForwardOutput: 'mlp.down_proj',
    norms: {
      placement: 'pre',
      attention: 'input_layernorm',
      feedForward: 'post_attention_layernorm',
      final: 'model.norm',
    },
    head: { decoder: 'lm_head.weight' },
  },
  aliases: (tensor) => [tensor.replace(/^model\./, '')],
  huggingFace: {
    modelTypes: ['llama', 'mistral'],
    refused: { qwen2: 'Qwen2 adds biases to query, key and value, which the private LLaMA form lacks' },
    read,
    write,
  },
}

function read(reader: HfReader): ModelConfig {
  reader.languageModel()
  if (reader.json.rope_interleaved) reader.refuse('rope_interleaved', 'pairs must be a half apart')
  for (const key of ['attention_bias', 'mlp_bias'])
    if (reader.json[key]) reader.refuse(key, 'the private LLaMA form has no biases')
  const heads = reader.size('num_attention_heads')
  const dim = reader.size('hidden_size')
  const own = reader.json.head_dim
  if (typeof own === 'number' && own * heads !== dim)
    reader.refuse('head_dim', `${heads} heads of ${own} are not the width ${dim}`)
  const context = reader.size('max_position_embeddings')
  const window = reader.json.sliding_window
  const config: ModelConfig = {
    arch: 'llama',
    vocab: reader.size('vocab_size'),
    dim,
    layers: reader.layers('num_hidden_layers'),
    heads,
    kvHeads: reader.size('num_key_value_heads', heads),
    ff: reader.size('intermediate_size'),
    eps: reader.number('rms_norm_eps'),
    // Within the window, attention to a sliding window is attention to everything.
    context: typeof window === 'number' && window > 0 ? Math.min(context, window) : context,
    ...ropeFromHf(reader, context),
    activation: reader.activation('hidden_act', ['silu']),
    tied: reader.json.tie_word_embeddings === true,
  }
  reader.divides(config)
  return config
}

function write(c: ModelConfig, ids: { bos?: number; end?: number }): HfConfig {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    ...llamaSizesToHf(c, ids, { headDim: headDim(c), rope: ropeToHf(c) }),
  }
}
