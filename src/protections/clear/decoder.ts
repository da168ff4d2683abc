/** A decoder's float reference behind the door. */
import type { ModelConfig, Tensors } from '../../model/architectures/config.ts'
import type { EncoderInput } from '../../model/architectures/encoder.ts'
import type { FloatModel } from '../../model/architectures/float-model.ts'
import { floatModel } from '../../model/architectures/reference.ts'
import { ClearConnection } from './connection.ts'

export class ClearDecoder extends ClearConnection {
  readonly maxTokens: number
  readonly #model: FloatModel

  constructor(config: ModelConfig, tensors: Tensors) {
    super()
    this.#model = floatModel(config, tensors)
    this.maxTokens = config.context
  }

  protected forward(base: number, { ids }: EncoderInput): Float64Array {
    this.#model.rewind(base)
    return this.#model.forward(ids)
  }
}
