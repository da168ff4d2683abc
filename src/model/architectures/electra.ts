/** ELECTRA: BERT's layers, an embedding that may be narrower, and a head of its own (Clark et al., 2020). */
import type { Architecture } from './architecture.ts'
import { bert, encoderAliases, encoderTensors } from './bert.ts'
import { encoderToHf, readEncoder } from './hf-encoder-config.ts'

const names = encoderTensors('electra', {
  decoder: 'generator_lm_head.weight',
  decoderBias: 'generator_lm_head.bias',
  transform: 'generator_predictions.dense',
  transformNorm: 'generator_predictions.LayerNorm',
  pool: 'classifier.dense',
  poolActivation: 'gelu',
  classifier: 'classifier.out_proj',
  tagger: 'classifier',
})

export const electra: Architecture = {
  ...bert,
  name: 'electra',
  tensors: { ...names, projection: 'electra.embeddings_project' },
  aliases: (tensor) => encoderAliases('electra', tensor),
  huggingFace: {
    modelTypes: ['electra'],
    read: (reader) => {
      if (reader.written.endsWith('ForPreTraining'))
        reader.refuse('architectures', 'a discriminator has no words to give; fine-tune it first')
      return readEncoder(reader, 'electra', 0)
    },
    write: (c) => encoderToHf(c, 'Electra'),
  },
}
