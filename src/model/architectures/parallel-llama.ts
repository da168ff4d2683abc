/**
 * LLaMA's form for few-bit arithmetic: attention and feed-forward block stand side by side and read the same RMSNorm, which
 * has no gain (parallel blocks: Wang and Komatsuzaki, 2021); the gate may be linear; instead of rotary positions, scores
 * fall with the distance (ALiBi: Press et al., 2022). The stream begins with the normalised embedding.
 */
import type { Architecture } from './architecture.ts'
import type { ModelConfig } from './config.ts'
import { type HfConfig, type HfReader, llamaSizesToHf } from './hf-reader.ts'

export const parallelLlama: Architecture = {
  name: 'parallel-llama',
  attention: 'causal',
  norm: 'rms',
  scores: 'octaves',
  positions: 'alibi',
  biases: 'attention',
  layout: 'out-in',
  tensors: {
    tables: { token: 'model.embed_tokens.weight' },
    layers: 'model.layers',
    qkv: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
    attentionOutput: 'self_attn.o_proj',
    feedForward: ['mlp.gate_proj', 'mlp.up_proj'],
    feedForwardOutput: 'mlp.down_proj',
    norms: { placement: 'shared' },
    head: { decoder: 'lm_head.weight' },
  },
  aliases: (tensor) => [tensor],
  huggingFace: { modelTypes: ['parallel-llama'], read, write },
}

function read(reader: HfReader): ModelConfig {
  const heads = reader.size('num_attention_heads')
  const config: ModelConfig = {
    arch: 'parallel-llama',
    vocab: reader.size('vocab_size'),
    dim: reader.size('hidden_size'),
    layers: reader.layers('num_hidden_layers'),
    heads,
    kvHeads: reader.size('num_key_value_heads', heads),
    ff: reader.size('intermediate_size'),
    eps: reader.number('rms_norm_eps'),
    context: reader.size('max_position_embeddings'),
    activation: reader.activation('hidden_act', ['linear', 'silu']),
    tied: reader.json.tie_word_embeddings === true,
  }
  reader.divides(config)
  return config
}

function write(c: ModelConfig, ids: { bos?: number; end?: number }): HfConfig {
  return {
    architectures: ['ParallelLlamaForCausalLM'],
    model_type: 'parallel-llama',
    ...llamaSizesToHf(c, ids),
  }
}
