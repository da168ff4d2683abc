/** ALBERT: one layer, over and over, and a narrow embedding (Lan et al., 2020). */
import type { Architecture } from './architecture.ts'
import { bert, encoderAliases } from './bert.ts'
import type { ModelConfig } from './config.ts'
import { encoderToHf, readEncoder } from './hf-encoder-config.ts'
import type { HfConfig, HfReader } from './hf-reader.ts'

export const albert: Architecture = {
  ...bert,
  name: 'albert',
  tensors: {
    tables: {
      token: 'albert.embeddings.word_embeddings.weight',
      position: 'albert.embeddings.position_embeddings.weight',
      type: 'albert.embeddings.token_type_embeddings.weight',
    },
    projection: 'albert.encoder.embedding_hidden_mapping_in',
    layers: 'albert.encoder.albert_layer_groups.0.albert_layers',
    isShared: true,
    qkv: ['attention.query', 'attention.key', 'attention.value'],
    attentionOutput: 'attention.dense',
    feedForward: ['ffn'],
    feedForwardOutput: 'ffn_output',
    norms: {
      placement: 'post',
      embedding: 'albert.embeddings.LayerNorm',
      attention: 'attention.LayerNorm',
      feedForward: 'full_layer_layer_norm',
    },
    head: {
      decoder: 'predictions.decoder.weight',
      pool: 'albert.pooler',
      classifier: 'classifier',
      tagger: 'classifier',
    },
  },
  aliases: (tensor) => encoderAliases('albert', tensor),
  huggingFace: { modelTypes: ['albert'], read, write },
}

function read(reader: HfReader): ModelConfig {
  for (const key of ['num_hidden_groups', 'inner_group_num'])
    if ((reader.json[key] ?? 1) !== 1) reader.refuse(key, 'all layers must be one and the same')
  const config = readEncoder(reader, 'albert', 0)
  if (config.head?.kind === 'mlm') reader.refuse('architectures', 'no masked language model of this form is')
  // The matrix is there even where it has nothing to widen.
  return { ...config, embedding: config.embedding ?? config.dim }
}

function write(c: ModelConfig): HfConfig {
  return {
    ...encoderToHf(c, 'Albert'),
    num_hidden_groups: 1,
    inner_group_num: 1,
  }
}
