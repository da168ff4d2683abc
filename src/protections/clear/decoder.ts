/** A decoder's float reference behind the door. */
import type { ModelConfig, Tensors } from '../../model/architectures/config.ts'
import type { FloatModel } from '../../model/graph/decoder-model.ts'
import { floatModel } from '../../model/graph/decoder-model.ts'
import type { TextInput } from '../../model/graph/interpret.ts'
import { ClearConnection } from './connection.ts'

/** Keeps keys and values between passes; `base` rewinds them. */
export class ClearDecoder extends ClearConnection {
  readonly maxTokens: number
  readonly #model: FloatModel

  constructor(config: ModelConfig, tensors: Tensors) {
    super()
    this.#model = floatModel(config, tensors)
    this.maxTokens = config.context
  }

  protected forward(base: number, { ids }: TextInput): Float64Array {
    this.#model.rewind(base)
    return this.#model.forward(ids)
  }
}
