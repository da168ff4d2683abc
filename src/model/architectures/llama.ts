/** LLaMA and its kin: RMSNorm, rotary positions, grouped-query attention, gated feed-forward (Touvron et al., 2023). */
import type { Architecture } from './architecture.ts'
import { decoderToHf, readDecoder } from './hf-decoder-config.ts'

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
    read: (reader) => readDecoder(reader, { arch: 'llama', lacks: ['attention_bias', 'mlp_bias'] }),
    write: (c, ids) => decoderToHf(c, { type: 'llama', name: 'Llama' }, ids),
  },
}
