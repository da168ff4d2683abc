/** Labels of tokens as a reader wants them: by words of the text, and as entities. */

import type { Tokenizer } from '@huggingface/tokenizers'
import { type Floats, softmax } from '../model/math.ts'
import type { TaggedSpan } from './api.ts'

/** A word, and the number of its first token among those of the text. */
interface Word {
  start: number
  end: number
  token: number
}

/** Letters, marks and digits that stand together, or one other sign. */
const wordPattern = /[\p{L}\p{M}\p{N}_]+|[^\s\p{L}\p{M}\p{N}_]/gu

/**
 * The words of a text with their first tokens. A tokenizer does not tell where its tokens stand; a text's beginning up to a
 * word, tokenized by itself, does, where it gives the first tokens of the whole. A word before which it does not begins in
 * the middle of a token, and is one with the word before.
 */
export function wordsOf(tokenizer: Tokenizer, text: string): Word[] {
  const idsOf = (part: string): number[] => [...tokenizer.encode(part, { add_special_tokens: false }).ids]
  const all = idsOf(text)
  const words: Word[] = []
  for (const { 0: found, index } of text.matchAll(wordPattern)) {
    const end = index + found.length
    const before = text.slice(0, index).trimEnd()
    const ids = before === '' ? [] : idsOf(before)
    const isBorder = ids.every((id, i) => id === all[i])
    if (words.length > 0 && (!isBorder || ids.length === words.at(-1)!.token)) words.at(-1)!.end = end
    else words.push({ start: index, end, token: ids.length })
  }
  return words
}

/**
 * The likeliest label of each word, by its first token, as Hugging Face's aggregation `first` has it. `logits` are those of
 * all tokens of the pass [n x labels]; words that were cut off have none.
 * @param ids of the pass, special tokens included
 */
export function taggedWords(
  tokenizer: Tokenizer,
  text: string,
  ids: readonly number[],
  logits: Floats,
  labels: readonly string[],
): TaggedSpan[] {
  const own = [...tokenizer.encode(text, { add_special_tokens: false }).ids]
  const first = own.length === 0 ? 0 : Math.max(0, beginning(ids, own))
  const reach = matching(ids, own, first)
  return wordsOf(tokenizer, text)
    .filter(({ token }) => token < reach)
    .map(({ start, end, token }) => {
      const at = (first + token) * labels.length
      const p = logits.slice(at, at + labels.length)
      softmax(p)
      const best = p.indexOf(Math.max(...p))
      return { start, end, label: labels[best], probability: p[best] }
    })
}

/** Where a text's tokens begin among those of the pass: where most of them stand. */
function beginning(ids: readonly number[], own: readonly number[]): number {
  let best = 0
  for (let at = 0; at < ids.length; at++) if (matching(ids, own, at) > matching(ids, own, best)) best = at
  return best
}

/** How many tokens of a text stand in the pass from a place on. */
function matching(ids: readonly number[], own: readonly number[], from: number): number {
  let n = 0
  while (n < own.length && ids[from + n] === own[n]) n++
  return n
}

/** Beginning, inside, end and single, as schemes of such labels have them. */
const prefix = /^([BIELSU])[-_]/

/**
 * Words that belong together: of one kind, side by side, and none of them a new beginning (Ramshaw and Marcus, 1995).
 * Words labelled "O" are none. An entity's probability is the mean of its words'.
 */
export function entitiesOf(words: readonly TaggedSpan[]): TaggedSpan[] {
  const entities: (TaggedSpan & { words: number })[] = []
  let isOpen = false
  for (const { start, end, label, probability } of words) {
    if (label === 'O') {
      isOpen = false
      continue
    }
    const [mark, place] = prefix.exec(label) ?? []
    const kind = mark ? label.slice(mark.length) : label
    const last = entities.at(-1)
    if (isOpen && last?.label === kind && !['B', 'S', 'U'].includes(place ?? '')) {
      last.probability = (last.probability * last.words + probability) / ++last.words
      last.end = end
    } else entities.push({ start, end, label: kind, probability, words: 1 })
    isOpen = !['E', 'L', 'S', 'U'].includes(place ?? '')
  }
  return entities.map(({ words: _, ...entity }) => entity)
}
