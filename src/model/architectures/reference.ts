import { isEncoder, type ModelConfig, type Tensors } from './config.ts'
import type { FloatModel, FloatPrecision, Tap } from './float-model.ts'
import { gpt2Model } from './gpt2.ts'
import { llamaModel } from './llama.ts'

/** The float reference of whichever decoder the configuration names; encoders have `encoderModel`. */
export function floatModel(
  config: ModelConfig,
  tensors: Tensors,
  tap?: Tap,
  precision: FloatPrecision = 'float64',
): FloatModel {
  if (isEncoder(config)) throw new Error(`A model of form "${config.arch}" does not continue a text.`)
  const make = config.arch === 'llama' ? llamaModel : gpt2Model
  return make(config, tensors, tap, precision)
}
