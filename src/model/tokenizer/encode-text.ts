import type { Tokenizer } from '@huggingface/tokenizers'
import type { ModelConfig } from '../architectures/config.ts'
import type { TextInput } from '../graph/interpret.ts'

/** One id and one token type for each token. */
export interface EncodedText extends TextInput {
  ids: number[]
  types: number[]
  /** The text was longer than `limit`, and its end was left out. */
  isCut: boolean
}

/**
 * A text, or a pair, as an encoder reads it: the tokenizer's post-processor adds the special tokens and token types. What
 * exceeds `limit` tokens goes, one by one, from the end of the longer text (of two that are as long, the second), as
 * Hugging Face's `longest_first` does; special tokens stay.
 */
export function encodeForEncoder(
  tokenizer: Tokenizer,
  { types: typeCount = 1 }: Pick<ModelConfig, 'types'>,
  limit: number,
  text: string,
  pair?: string,
): EncodedText {
  const encoded = tokenizer.encode(text, { text_pair: pair, return_token_type_ids: true })
  const ids = [...encoded.ids]
  // A tokenizer without a post-processor gives no types.
  const given: number[] = encoded.token_type_ids ?? []
  const types = ids.map((_, i) => Math.min(given[i] ?? 0, typeCount - 1))
  const excess = ids.length - limit
  if (excess <= 0) return { ids, types, isCut: false }
  const bare = (part: string): number[] => [...tokenizer.encode(part, { add_special_tokens: false }).ids]
  const first = bare(text)
  const second = pair === undefined ? [] : bare(pair)
  const firstEnd = indexOf(ids, first, 0) + first.length
  const secondEnd = indexOf(ids, second, firstEnd) + second.length
  const kept = { first: first.length, second: second.length }
  for (let n = 0; n < excess; n++) {
    const from = kept.first > kept.second ? 'first' : 'second'
    kept[from] = Math.max(0, kept[from] - 1)
  }
  const cuts = [
    { end: secondEnd, count: second.length - kept.second },
    { end: firstEnd, count: first.length - kept.first },
  ]
  for (const { end, count } of cuts) {
    ids.splice(end - count, count)
    types.splice(end - count, count)
  }
  return { ids, types, isCut: true }
}

/** Where `part` stands in `all`, from `from` on; `from` where it does not. */
function indexOf(all: readonly number[], part: readonly number[], from: number): number {
  for (let at = from; at + part.length <= all.length; at++)
    if (part.every((id, i) => all[at + i] === id)) return at
  return from
}
