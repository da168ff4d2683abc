/**
 * ModernBERT (Warner et al., 2024): an encoder with rotary positions and a gate of GELU, without biases; a norm behind the
 * embedding and one before each block but the first; layers that see a window between those that see all.
 */
import type { Architecture } from './architecture.ts'
import type { EncoderHead, ModelConfig } from './config.ts'
import { classOf, headOf, headToHf } from './hf-encoder-head.ts'
import { activationToHf, type HfConfig, type HfReader } from './hf-reader.ts'

/** Texts are padded to buckets, of which the longest has so many rows: rings need not be as wide as more would take. */
const LONGEST = 512

export const modernbert: Architecture = {
  name: 'modernbert',
  attention: 'bidirectional',
  norm: 'layer',
  isUnshifted: true,
  scores: 'scaled',
  positions: 'rotary',
  biases: 'none',
  layout: 'out-in',
  tensors: {
    tables: { token: 'model.embeddings.tok_embeddings.weight' },
    layers: 'model.layers',
    qkv: ['attn.Wqkv'],
    attentionOutput: 'attn.Wo',
    feedForward: ['mlp.Wi', 'mlp.Wi'],
    feedForwardOutput: 'mlp.Wo',
    norms: {
      placement: 'pre',
      embedding: 'model.embeddings.norm',
      attention: 'attn_norm',
      feedForward: 'mlp_norm',
      final: 'model.final_norm',
    },
    head: {
      decoder: 'decoder.weight',
      decoderBias: 'decoder.bias',
      common: { dense: 'head.dense', norm: 'head.norm' },
      poolActivation: 'gelu',
      classifier: 'classifier',
      tagger: 'classifier',
    },
  },
  aliases: (tensor) => [tensor, tensor.replace(/^model\./, '')],
  huggingFace: { modelTypes: ['modernbert'], read, write },
}

/** What Hugging Face's class takes where a file says nothing. */
const usual: HfConfig = {
  vocab_size: 50368,
  hidden_size: 768,
  intermediate_size: 1152,
  num_hidden_layers: 22,
  num_attention_heads: 12,
  max_position_embeddings: 8192,
  norm_eps: 1e-5,
  global_attn_every_n_layers: 3,
  local_attention: 128,
  classifier_pooling: 'cls',
}

function read(given: HfReader): ModelConfig {
  const reader = given.over(usual)
  const { json } = reader
  for (const key of ['attention_bias', 'mlp_bias', 'norm_bias', 'classifier_bias'])
    if (json[key]) reader.refuse(key, 'no matrix and no norm may have a bias')
  if (json.decoder_bias === false) reader.refuse('decoder_bias', 'the output matrix must have one')
  for (const key of ['hidden_activation', 'classifier_activation'])
    if ((json[key] ?? 'gelu') !== 'gelu') reader.refuse(key, 'it must be "gelu"')
  const heads = reader.size('num_attention_heads')
  const config: ModelConfig = {
    arch: 'modernbert',
    vocab: reader.size('vocab_size'),
    dim: reader.size('hidden_size'),
    layers: reader.layers('num_hidden_layers'),
    heads,
    kvHeads: heads,
    ff: reader.size('intermediate_size'),
    eps: reader.number('norm_eps'),
    context: Math.min(reader.size('max_position_embeddings'), LONGEST),
    activation: 'gelu',
    tied: json.tie_word_embeddings !== false,
  }
  reader.divides(config)
  const head = headOf(reader)
  const pooling = json.classifier_pooling
  if (pooling !== 'cls' && pooling !== 'mean')
    reader.refuse('classifier_pooling', 'it must be "cls" or "mean"')
  const pooled: EncoderHead | undefined =
    head?.kind === 'classify' && pooling === 'mean' ? { ...head, pooling } : head
  return { ...config, ...positions(reader, config.layers), ...(pooled ? { head: pooled } : {}) }
}

/** Bases of the rotary angles, and which layers see a window. Newer files keep the two kinds of layers apart. */
function positions(reader: HfReader, layers: number): Pick<ModelConfig, 'ropeTheta' | 'localRotary'> {
  const { json } = reader
  if (json.rope_scaling) reader.refuse('rope_scaling', 'positions must turn as they were trained to')
  const both = (json.rope_parameters ?? {}) as Record<string, HfConfig | undefined>
  for (const kind of Object.values(both))
    if ((kind?.rope_type ?? 'default') !== 'default')
      reader.refuse('rope_parameters', 'positions must turn as they were trained to')
  const ropeTheta = theta(reader, both.full_attention, 'global_rope_theta', 160_000)
  const local = json.local_rope_theta === null ? ropeTheta : 10_000
  const localTheta = theta(reader, both.sliding_attention, 'local_rope_theta', local)
  const every = reader.size('global_attn_every_n_layers')
  const types = json.layer_types
  const isLocal = (layer: number): boolean =>
    Array.isArray(types) ? types[layer] === 'sliding_attention' : layer % every !== 0
  const own = Array.from({ length: layers }, (_, layer) => layer).filter(isLocal)
  if (own.length === 0) return { ropeTheta }
  const window = Math.floor(reader.size('local_attention') / 2)
  if (window < 1) reader.refuse('local_attention', 'a row must see one on either side')
  return { ropeTheta, localRotary: { theta: localTheta, layers: own, window } }
}

function theta(reader: HfReader, of: HfConfig | undefined, key: string, usually: number): number {
  const value = of?.rope_theta ?? reader.json[key] ?? usually
  if (typeof value !== 'number' || !(value > 0)) reader.refuse(key, 'it must be above 0')
  return value
}

function write(c: ModelConfig): HfConfig {
  const local = c.localRotary
  return {
    architectures: [`ModernBert${classOf(c.head)}`],
    model_type: 'modernbert',
    vocab_size: c.vocab,
    hidden_size: c.dim,
    num_hidden_layers: c.layers,
    num_attention_heads: c.heads,
    intermediate_size: c.ff,
    hidden_activation: activationToHf[c.activation],
    classifier_activation: 'gelu',
    norm_eps: c.eps,
    max_position_embeddings: c.context,
    global_rope_theta: c.ropeTheta,
    local_rope_theta: local?.theta ?? c.ropeTheta,
    local_attention: 2 * (local?.window ?? c.context),
    layer_types: Array.from({ length: c.layers }, (_, layer) =>
      local?.layers.includes(layer) ? 'sliding_attention' : 'full_attention',
    ),
    classifier_pooling: c.head?.kind === 'classify' && c.head.pooling === 'mean' ? 'mean' : 'cls',
    tie_word_embeddings: c.tied,
    ...headToHf(c.head),
  }
}
