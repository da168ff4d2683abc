import { Tokenizer } from '@huggingface/tokenizers'
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { encodeForEncoder } from '../../src/model/tokenizer/encode-text.ts'
import type { TrainingText } from './feeds.ts'

/** Encodes texts and pairs for training, exactly as the encoder will read them when it is served. */
export class EncoderTokenizer {
  readonly #tokenizer: Tokenizer
  readonly #config: Pick<ModelConfig, 'types' | 'context'>
  /** Id of the padding token; 0 where the tokenizer names none. */
  readonly pad: number

  constructor(json: object, config: Pick<ModelConfig, 'types' | 'context'>) {
    this.#tokenizer = new Tokenizer(json, {})
    this.#config = config
    this.pad = this.id('[PAD]') ?? this.id('<pad>') ?? 0
  }

  /** Id of a token, if the tokenizer has it. */
  id(token: string): number | undefined {
    return this.#tokenizer.token_to_id(token)
  }

  /** With special tokens, cut to the context. */
  encode(text: string, pair?: string): TrainingText {
    const { ids, types } = encodeForEncoder(this.#tokenizer, this.#config, this.#config.context, text, pair)
    return { ids, types }
  }
}
