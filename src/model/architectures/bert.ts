/** BERT: every row sees all rows, and a LayerNorm follows each block (Devlin et al., 2019). */
import type { Architecture, HeadNames, TensorNames } from './architecture.ts'
import { encoderToHf, readEncoder } from './hf-encoder-config.ts'

/** What the two forms that share BERT's layers call their tensors. */
export const encoderTensors = (prefix: string, head: HeadNames): TensorNames => ({
  tables: {
    token: `${prefix}.embeddings.word_embeddings.weight`,
    position: `${prefix}.embeddings.position_embeddings.weight`,
    type: `${prefix}.embeddings.token_type_embeddings.weight`,
  },
  layers: `${prefix}.encoder.layer`,
  qkv: ['attention.self.query', 'attention.self.key', 'attention.self.value'],
  attentionOutput: 'attention.output.dense',
  feedForward: ['intermediate.dense'],
  feedForwardOutput: 'output.dense',
  norms: {
    placement: 'post',
    embedding: `${prefix}.embeddings.LayerNorm`,
    attention: 'attention.output.LayerNorm',
    feedForward: 'output.LayerNorm',
  },
  head,
})

/** Checkpoints without the prefix, and the first ones, which had TensorFlow's names for gains. */
export function encoderAliases(prefix: string, tensor: string): string[] {
  const names = [tensor, tensor.replace(`${prefix}.`, '')]
  const older = (name: string): string =>
    name.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta')
  return [...names, ...names.map(older)]
}

export const bert: Architecture = {
  name: 'bert',
  attention: 'bidirectional',
  norm: 'layer',
  scores: 'scaled',
  positions: 'table',
  biases: 'all',
  layout: 'out-in',
  tensors: encoderTensors('bert', {
    decoder: 'cls.predictions.decoder.weight',
    decoderBias: 'cls.predictions.bias',
    transform: 'cls.predictions.transform.dense',
    transformNorm: 'cls.predictions.transform.LayerNorm',
    pool: 'bert.pooler.dense',
    classifier: 'classifier',
    tagger: 'classifier',
  }),
  aliases: (tensor) => [
    ...encoderAliases('bert', tensor),
    ...(tensor === 'cls.predictions.bias' ? ['cls.predictions.decoder.bias'] : []),
  ],
  huggingFace: {
    modelTypes: ['bert'],
    read: (reader) => readEncoder(reader, 'bert', 0),
    write: (c) => encoderToHf(c, 'Bert'),
  },
}
