/** An encoder's float reference behind the door. */
import type { ModelConfig, Tensors } from '../../model/architectures/config.ts'
import { type EncoderInput, type EncoderModel, encoderModel } from '../../model/architectures/encoder.ts'
import { buckets } from '../../model/buckets.ts'
import { ClearConnection } from './connection.ts'

export class ClearEncoder extends ClearConnection {
  /** Texts are cut where the private run would cut them. */
  readonly maxTokens: number
  readonly #model: EncoderModel

  constructor(config: ModelConfig, tensors: Tensors) {
    super()
    this.#model = encoderModel(config, tensors)
    this.maxTokens = Math.max(...buckets(config))
  }

  protected forward(_base: number, input: EncoderInput): Float64Array {
    const { logits, hidden } = this.#model.forward(input)
    return logits ?? hidden
  }
}
