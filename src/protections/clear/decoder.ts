/** A decoder's float reference behind the door. */
import type { PublicModel } from '../../model/files/bundle.ts'
import type { FloatModel } from '../../model/graph/decoder-model.ts'
import { floatModel } from '../../model/graph/decoder-model.ts'
import type { TextInput } from '../../model/graph/interpret.ts'
import { ClearConnection } from './connection.ts'

/** Keeps keys and values between passes; `base` rewinds them. */
export class ClearDecoder extends ClearConnection {
  readonly maxTokens: number
  readonly #model: FloatModel

  constructor(model: PublicModel) {
    super(model)
    const { config } = model.manifest
    this.#model = floatModel(config, model.tensors)
    this.maxTokens = config.context
  }

  protected forward(base: number, { ids }: TextInput): Float64Array {
    this.#model.rewind(base)
    return this.#model.forward(ids)
  }
}
