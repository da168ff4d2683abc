/** Text and special tokens: what a person writes is never more than text. */
import type { Tokenizer } from '@huggingface/tokenizers'

/**
 * The tokens that stand for no text. Others that were added to a vocabulary are text like any other: runs of spaces, words
 * of a trade.
 */
export const specialTokens = (tokenizer: Tokenizer): string[] =>
  [...tokenizer.get_added_tokens_decoder().values()]
    .filter(({ special }) => special)
    .map(({ content }) => content)

/** Cut at every occurrence of one of `specials`, after its first character. */
export function splitInside(text: string, specials: readonly string[]): string[] {
  let pieces = [text]
  for (const special of specials)
    pieces = pieces.flatMap((piece) => {
      const parts = piece.split(special)
      const last = parts.length - 1
      return parts.map((part, i) => (i > 0 ? special.slice(1) : '') + part + (i < last ? special[0] : ''))
    })
  return pieces
}

/** Ids of text without what a tokenizer puts around a whole one. */
export const encodeBare = (tokenizer: Tokenizer, text: string): number[] =>
  text === '' ? [] : [...tokenizer.encode(text, { add_special_tokens: false }).ids]

/**
 * Ids of plain text. Text that spells a special token stays text:
 * nobody can end a turn, or open another's, by typing `<|end|>`.
 */
export const encodePlain = (tokenizer: Tokenizer, text: string): number[] =>
  splitInside(text, specialTokens(tokenizer)).flatMap((piece) => encodeBare(tokenizer, piece))

/**
 * Ids of texts with marks around them, tokenised as a whole: in `marks`, one more than `texts`, special tokens are meant, in
 * `texts` they are spelled only.
 */
export function encodeAround(
  tokenizer: Tokenizer,
  marks: readonly string[],
  texts: readonly string[],
): number[] {
  const specials = specialTokens(tokenizer)
  const count = (part: string) => specials.reduce((sum, special) => sum + part.split(special).length - 1, 0)
  const meant = marks.reduce((sum, mark) => sum + count(mark), 0)
  const apart = [marks[0]]
  const whole = [marks[0]]
  for (const [i, text] of texts.entries()) {
    const [first, ...further] = splitInside(text, specials)
    apart.push(first, ...further, marks[i + 1])
    whole[whole.length - 1] += first
    whole.push(...further)
    whole[whole.length - 1] += marks[i + 1]
  }
  // A mark and what is written next to it must not make another mark together.
  const parts = whole.reduce((sum, part) => sum + count(part), 0) === meant ? whole : apart
  return parts.flatMap((part) => encodeBare(tokenizer, part))
}

/** Ids of text that goes on: without the space that some tokenizers put before the first word of a text. */
export function encodeFurther(tokenizer: Tokenizer, text: string): number[] {
  const anchor = encodeBare(tokenizer, '\n')
  const ids = encodePlain(tokenizer, `\n${text}`)
  return anchor.every((id, i) => ids[i] === id) ? ids.slice(anchor.length) : encodePlain(tokenizer, text)
}
