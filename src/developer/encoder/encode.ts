import { Tokenizer } from '@huggingface/tokenizers'
import type { EncodedText } from './feeds.ts'

/** Encodes texts and pairs for an encoder, cut to its context. */
export class EncoderTokenizer {
  readonly #tokenizer: Tokenizer
  readonly #context: number
  /** Id of the padding token; 0 where the tokenizer names none. */
  readonly pad: number

  constructor(json: object, context: number) {
    this.#tokenizer = new Tokenizer(json, {})
    this.#context = context
    this.pad = this.id('[PAD]') ?? this.id('<pad>') ?? 0
  }

  /** Id of a token, if the tokenizer has it. */
  id(token: string): number | undefined {
    return this.#tokenizer.token_to_id(token)
  }

  /** With special tokens; of a text that is too long the end goes, of a pair the end of the longer text. */
  encode(text: string, second?: string): EncodedText {
    const encoded = this.#tokenizer.encode(text, { text_pair: second, return_token_type_ids: true })
    const ids = [...encoded.ids]
    const types = [...encoded.token_type_ids]
    while (ids.length > this.#context) {
      const seconds = types.filter((type) => type > 0).length
      const isSecond = seconds === 0 || seconds > ids.length - seconds
      // The special token that closes a text stays.
      const last = (isSecond ? ids.length : types.indexOf(1)) - 2
      ids.splice(last, 1)
      types.splice(last, 1)
    }
    return { ids, types }
  }
}
