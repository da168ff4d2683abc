/** RoBERTa: BERT's layers, positions counted from behind the padding id, heads of its own (Liu et al., 2019). */
import type { Architecture } from './architecture.ts'
import { bert, encoderAliases, encoderTensors } from './bert.ts'
import { encoderToHf, readEncoder } from './hf-encoder-config.ts'

export const roberta: Architecture = {
  ...bert,
  name: 'roberta',
  tensors: encoderTensors('roberta', {
    decoder: 'lm_head.decoder.weight',
    decoderBias: 'lm_head.bias',
    transform: 'lm_head.dense',
    transformNorm: 'lm_head.layer_norm',
    pool: 'classifier.dense',
    classifier: 'classifier.out_proj',
    tagger: 'classifier',
  }),
  // XLM-RoBERTa and CamemBERT keep RoBERTa's prefix.
  aliases: (tensor) => [
    ...encoderAliases('roberta', tensor),
    ...(tensor === 'lm_head.bias' ? ['lm_head.decoder.bias'] : []),
  ],
  huggingFace: {
    // The second and third have RoBERTa's tensors and positions, with other tokenizers.
    modelTypes: ['roberta', 'xlm-roberta', 'camembert'],
    read: (reader) => readEncoder(reader, 'roberta', reader.number('pad_token_id', 1) + 1),
    write: (c) => encoderToHf(c, 'Roberta'),
  },
}
