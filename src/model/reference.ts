import type { ModelConfig, Tensors } from './config.ts'
import type { FloatModel, Tap } from './float-model.ts'
import { gpt2Model } from './gpt2.ts'
import { llamaModel } from './llama.ts'

/** The float reference of whichever form the configuration names. */
export const floatModel = (config: ModelConfig, tensors: Tensors, tap?: Tap): FloatModel =>
  config.arch === 'llama' ? llamaModel(config, tensors, tap) : gpt2Model(config, tensors, tap)
