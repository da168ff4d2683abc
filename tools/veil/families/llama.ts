/** LLaMA and its kin (Touvron et al., 2023): Mistral, Qwen2 with biases of queries, keys and values, Qwen3 with QK-norm. */
import type { HfReader } from '../../../src/model/architectures/hf-reader.ts'
import { headSpace } from '../heads.ts'
import { endSpace, gatedUnits, type Space } from '../space.ts'
import { dense, type Family, norm, perLayer, read, type TensorSpec, write } from '../tensor-spec.ts'

export const llama: Family = {
  name: 'llama',
  modelTypes: ['llama', 'mistral', 'qwen2', 'qwen3'],
  tiesByDefault: false,
  describe(reader) {
    const decoder = rotaryDecoder(reader, 'model', 'lm_head.weight', gated)
    return { tensors: decoder.tensors, ends: decoder.ends }
  },
}

/** A layer's feed-forward block, behind the norm of a prefix. */
export type FeedForward = (reader: HfReader, at: string, stream: Space, norm: string) => TensorSpec[]

/** The gated feed-forward block. Gate and up are reordered alike: reordering one alone is printed, and wrong. */
export const gated: FeedForward = (reader, at, stream, norm) => {
  const inner = gatedUnits(`${at}.mlp`, reader.size('intermediate_size', 11008))
  return [
    ...dense(`${at}.mlp.gate_proj`, write(inner, 'gate'), read(stream, norm), 'maybe'),
    ...dense(`${at}.mlp.up_proj`, write(inner, 'up'), read(stream, norm), 'maybe'),
    ...dense(`${at}.mlp.down_proj`, write(stream), read(inner, undefined, 'up'), 'maybe'),
  ]
}

/** A decoder with RMSNorm and rotary positions; defaults are those that Hugging Face's files may leave out. */
export function rotaryDecoder(reader: HfReader, prefix: string, head: string, feedForward: FeedForward) {
  refuse(reader)
  const dim = reader.size('hidden_size', 4096)
  const heads = reader.size('num_attention_heads', 32)
  const kvHeads = reader.size('num_key_value_heads', heads)
  const width = reader.size('head_dim', dim / heads)
  if (heads % kvHeads !== 0) reader.complain(`${kvHeads} key heads do not divide the ${heads} heads.`)
  if (width % 2 !== 0) reader.complain(`heads of ${width} components have no pairs to turn.`)
  const hasHeadNorms = reader.json.model_type === 'qwen3'
  const ends = {
    tokens: { kind: 'items', size: reader.size('vocab_size', 32000) },
    rows: { kind: 'stream', size: dim, norm: 'rms' },
  } as const
  const tokens = endSpace('tokens', ends.tokens)
  const stream = endSpace('rows', ends.rows)
  const layers = perLayer(reader.layers('num_hidden_layers', 32), (layer) => {
    const at = `${prefix}.layers.${layer}`
    const own = headSpace(`${at}.attention`, {
      heads,
      kvHeads,
      width,
      between: hasHeadNorms ? 'norm' : 'rotary',
    })
    const [before, between] = [`${at}.input_layernorm`, `${at}.post_attention_layernorm`]
    const projection = (name: string, part: string) =>
      dense(`${at}.self_attn.${name}_proj`, write(own, part), read(stream, before), 'maybe')
    return [
      ...norm(before, stream, false),
      ...projection('q', 'query'),
      ...projection('k', 'key'),
      ...projection('v', 'value'),
      ...(hasHeadNorms
        ? ['q', 'k'].map((name) => ({
            name: `${at}.self_attn.${name}_norm.weight`,
            axes: [{ plain: width }],
          }))
        : []),
      ...dense(`${at}.self_attn.o_proj`, write(stream), read(own, undefined, 'mixed'), 'maybe'),
      ...norm(between, stream, false),
      ...feedForward(reader, at, stream, between),
    ]
  })
  const embedding = `${prefix}.embed_tokens.weight`
  const tensors: TensorSpec[] = [
    { name: embedding, axes: [write(tokens), write(stream)] },
    ...layers,
    ...norm(`${prefix}.norm`, stream, false),
    { name: head, axes: [write(tokens), read(stream, `${prefix}.norm`)], tied: embedding },
  ]
  return { tensors, ends, stream }
}

function refuse(reader: HfReader): void {
  if (reader.json.rope_interleaved) reader.refuse('rope_interleaved', 'pairs must be a half apart')
  if ((reader.json.partial_rotary_factor ?? 1) !== 1)
    reader.refuse('partial_rotary_factor', 'all components of a head must turn')
}
