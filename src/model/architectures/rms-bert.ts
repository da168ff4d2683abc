/**
 * BERT's form for few-bit arithmetic: norms are RMSNorms without gains, one a layer, behind attention; feed-forward blocks
 * have ReLU and no biases, so that they are homogeneous: f(x / r) = f(x) / r. A block then runs while the root mean square
 * r of its rows is still being found. A classifier reads the first row as the last layer leaves it.
 */
import type { Architecture } from './architecture.ts'
import { encoderToHf, readEncoder } from './hf-encoder-config.ts'

export const rmsBert: Architecture = {
  name: 'rms-bert',
  attention: 'bidirectional',
  norm: 'rms',
  scores: 'octaves',
  positions: 'table',
  biases: 'attention',
  layout: 'out-in',
  tensors: {
    tables: {
      token: 'bert.embeddings.word_embeddings.weight',
      position: 'bert.embeddings.position_embeddings.weight',
      type: 'bert.embeddings.token_type_embeddings.weight',
    },
    layers: 'bert.encoder.layer',
    qkv: ['attention.self.query', 'attention.self.key', 'attention.self.value'],
    attentionOutput: 'attention.output.dense',
    feedForward: ['intermediate.dense'],
    feedForwardOutput: 'output.dense',
    norms: { placement: 'fused' },
    head: { decoder: 'cls.predictions.decoder.weight', classifier: 'classifier' },
  },
  aliases: (tensor) => [tensor],
  huggingFace: {
    modelTypes: ['rms-bert'],
    read: (reader) => readEncoder(reader, 'rms-bert', 0, ['relu']),
    write: (c) => encoderToHf(c, 'RmsBert'),
  },
}
