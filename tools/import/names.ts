/** What checkpoints call the tensors that a bundle calls by one name each. */
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { architectureOf } from '../../src/model/architectures/registry.ts'

/** Names under which a tensor may be found, the usual one first. */
export const namesInCheckpoint = (config: ModelConfig, name: string): string[] => [
  ...new Set([name, ...architectureOf(config).aliases(name)]),
]

/** The output head over the vocabulary and the embedding, for models in which one may be the other. */
export function headAndEmbedding(config: ModelConfig): readonly [head: string, embedding: string] {
  const { head, tables } = architectureOf(config).tensors
  return [head.decoder, tables.token]
}

/** Buffers that hold nothing learned: masks, position numbers, tables of angles. */
export const isBuffer = (name: string): boolean =>
  /(\.attn\.(bias|masked_bias)|position_ids|token_type_ids|rotary_emb\.inv_freq)$/.test(name)
