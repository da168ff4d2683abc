/**
 * Gemma, Gemma 2 and the text models of Gemma 3 (Gemma Team, 2024 to 2025): LLaMA with a scaled embedding, gains that are
 * stored less one, and a gate of GELU. The second has norms of what its blocks add, too, and caps on scores and logits; the
 * third, in place of the caps, norms of heads, and layers of a window that turn by a base of their own.
 */
import type { Architecture } from './architecture.ts'
import type { ModelConfig } from './config.ts'
import { headDim } from './config.ts'
import { decoderToHf, readDecoder } from './hf-decoder-config.ts'
import type { HfConfig, HfReader } from './hf-reader.ts'
import { llama } from './llama.ts'

const gelu = 'gelu_pytorch_tanh'

/** What Hugging Face's classes take where a file says nothing. */
const usual: HfConfig = {
  hidden_activation: gelu,
  head_dim: 256,
  max_position_embeddings: 8192,
  rms_norm_eps: 1e-6,
  tie_word_embeddings: true,
}

const sandwich = {
  placement: 'pre',
  attention: 'input_layernorm',
  attentionOutput: 'post_attention_layernorm',
  feedForward: 'pre_feedforward_layernorm',
  feedForwardOutput: 'post_feedforward_layernorm',
  final: 'model.norm',
} as const

export const gemma: Architecture = {
  ...llama,
  name: 'gemma',
  gainOffset: 1,
  isEmbeddingScaled: true,
  huggingFace: {
    modelTypes: ['gemma'],
    read: (reader) => readGemma(reader, 'gemma', {}),
    write: (c, ids) => gemmaToHf(c, { type: 'gemma', name: 'Gemma' }, ids),
  },
}

export const gemma2: Architecture = {
  ...gemma,
  name: 'gemma2',
  tensors: { ...llama.tensors, norms: sandwich },
  huggingFace: {
    modelTypes: ['gemma2'],
    read: (reader) =>
      readGemma(reader, 'gemma2', {
        query_pre_attn_scalar: 256,
        sliding_window: 4096,
        attn_logit_softcapping: 50,
        final_logit_softcapping: 30,
      }),
    write: (c, ids) => gemmaToHf(c, { type: 'gemma2', name: 'Gemma2' }, ids),
  },
}

export const gemma3: Architecture = {
  ...gemma2,
  name: 'gemma3',
  tensors: { ...gemma2.tensors, headNorms: ['self_attn.q_norm', 'self_attn.k_norm'] },
  huggingFace: {
    modelTypes: ['gemma3_text'],
    refused: {
      gemma3: 'it reads pictures as well; the models of text alone are "gemma3_text"',
      gemma3n: 'its layers are of another form',
      gemma3n_text: 'its layers are of another form',
    },
    read: readGemma3,
    write: (c, ids) => ({
      ...gemmaToHf(c, { type: 'gemma3_text', name: 'Gemma3' }, ids),
      rope_local_base_freq: c.localRotary?.theta ?? c.ropeTheta,
      layer_types: Array.from({ length: c.layers }, (_, layer) =>
        c.localRotary?.layers.includes(layer) ? 'sliding_attention' : 'full_attention',
      ),
    }),
  },
}

/** A number above 0, or none. */
function optional(reader: HfReader, key: string): number | undefined {
  const value = reader.json[key]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !(value > 0)) reader.refuse(key, 'it must be above 0')
  return value
}

function readGemma(given: HfReader, arch: string, more: HfConfig): ModelConfig {
  const reader = given.over({ ...usual, ...more })
  // The older name is ignored by Hugging Face's own classes, too.
  const acting = reader.with({ hidden_act: reader.json.hidden_activation ?? gelu })
  const config = readDecoder(acting, { arch, lacks: ['attention_bias'], activations: ['gelu_tanh'] })
  if (reader.json.use_bidirectional_attention)
    reader.refuse('use_bidirectional_attention', 'rows must see the past alone')
  const scoreDim = optional(reader, 'query_pre_attn_scalar')
  const softcap = optional(reader, 'attn_logit_softcapping')
  const logitCap = optional(reader, 'final_logit_softcapping')
  return {
    ...config,
    ...(scoreDim !== undefined && scoreDim !== headDim(config) ? { scoreDim } : {}),
    ...(softcap === undefined ? {} : { softcap }),
    ...(logitCap === undefined ? {} : { logitCap }),
  }
}

function readGemma3(given: HfReader): ModelConfig {
  // Newer files keep the two kinds of layers apart.
  const both = given.json.rope_parameters as Record<string, HfConfig> | undefined
  const apart = both?.full_attention && {
    rope_parameters: both.full_attention,
    rope_local_base_freq: both.sliding_attention?.rope_theta,
  }
  const reader = given
    .with(apart ?? {})
    .over({ rope_theta: 1_000_000, rope_local_base_freq: 10_000, sliding_window_pattern: 6 })
  const config = readGemma(reader, 'gemma3', { query_pre_attn_scalar: 256, sliding_window: 4096 })
  const types = reader.json.layer_types
  const every = reader.size('sliding_window_pattern')
  const isLocal = (layer: number): boolean =>
    Array.isArray(types) ? types[layer] === 'sliding_attention' : (layer + 1) % every !== 0
  const layers = Array.from({ length: config.layers }, (_, layer) => layer).filter(isLocal)
  const theta = reader.number('rope_local_base_freq')
  return layers.length > 0 ? { ...config, localRotary: { theta, layers } } : config
}

function gemmaToHf(
  c: ModelConfig,
  of: { type: string; name: string },
  ids: { bos?: number; end?: number },
): HfConfig {
  return {
    ...decoderToHf(c, of, ids),
    hidden_activation: gelu,
    query_pre_attn_scalar: c.scoreDim ?? headDim(c),
    // All that this model sees is within its window.
    sliding_window: c.context,
    attn_logit_softcapping: c.softcap ?? null,
    final_logit_softcapping: c.logitCap ?? null,
  }
}
