/** An encoder's float reference behind the door. */
import { buckets } from '../../model/buckets.ts'
import type { PublicModel } from '../../model/files/bundle.ts'
import { type EncoderModel, encoderModel } from '../../model/graph/encoder-model.ts'
import type { TextInput } from '../../model/graph/interpret.ts'
import { ClearConnection } from './connection.ts'

/** Every pass is a text of its own. */
export class ClearEncoder extends ClearConnection {
  /** Texts are cut where the private run would cut them. */
  readonly maxTokens: number
  readonly #model: EncoderModel

  constructor(model: PublicModel) {
    super(model)
    const { config } = model.manifest
    this.#model = encoderModel(config, model.tensors)
    this.maxTokens = Math.max(...buckets(config))
  }

  protected forward(_base: number, input: TextInput): Float64Array {
    const { logits, hidden } = this.#model.forward(input)
    return logits ?? hidden
  }
}
