/** An encoder's float reference behind the door. */
import type { ModelConfig, Tensors } from '../../model/architectures/config.ts'
import { buckets } from '../../model/buckets.ts'
import { type EncoderModel, encoderModel } from '../../model/graph/encoder-model.ts'
import type { TextInput } from '../../model/graph/interpret.ts'
import { ClearConnection } from './connection.ts'

/** Every pass is a text of its own. */
export class ClearEncoder extends ClearConnection {
  /** Texts are cut where the private run would cut them. */
  readonly maxTokens: number
  readonly #model: EncoderModel

  constructor(config: ModelConfig, tensors: Tensors) {
    super()
    this.#model = encoderModel(config, tensors)
    this.maxTokens = Math.max(...buckets(config))
  }

  protected forward(_base: number, input: TextInput): Float64Array {
    const { logits, hidden } = this.#model.forward(input)
    return logits ?? hidden
  }
}
