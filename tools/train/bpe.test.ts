import { Tokenizer } from '@huggingface/tokenizers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodePlain } from '../../src/model/tokenizer/special.ts'
import { splitWords, toTokenizerJson, trainBpe } from './bpe.ts'
import { chatSpecials, encodeDialogue, specialId } from './dialogues.ts'

const texts = [
  'I would like a table for two at seven, please.',
  "That's great! I'd like to book the table at 7:30 pm, please.",
  'Would you like a table at the restaurant on the 7th of March?',
  'naïve café, 東京, 🍣🍣🍣',
]
const vocabulary = trainBpe(texts, 330, chatSpecials)
// Tidying the spaces before punctuation is a default that would change the text.
const tokenizer = new Tokenizer(toTokenizerJson(vocabulary), { clean_up_tokenization_spaces: false })

test('first merges are the most frequent pairs, found by hand', () => {
  // In "aab aab ab": words "aab", " aab", " ab"; the pair (a, b) occurs 3 times, (a, a) twice.
  const { merges } = trainBpe(['aab aab ab'], 4 + 256 + 2, chatSpecials)
  const [a, b] = ['a', 'b'].map((letter) => letter.charCodeAt(0) + 4)
  expect(merges[0]).toEqual([a, b])
  // Then (a, ab) occurs twice, (space, a) and (space, ab) once each.
  expect(merges[1]).toEqual([a, 260])
})

test('words are cut as GPT-2 cuts them, and nothing is lost', () => {
  expect(splitWords("I'd pay 7.50  now")).toEqual(['I', "'d", ' pay', ' 7', '.', '50', ' ', ' now'])
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (s) => splitWords(s).join('') === s))
})

/** By the definition: of a word's neighbours, the pair learned first is merged, wherever it stands. */
function merged(text: string): number[] {
  const { specials, merges } = vocabulary
  return splitWords(text).flatMap((word) => {
    let ids = Array.from(new TextEncoder().encode(word), (byte) => specials.length + byte)
    merges.forEach(([left, right], rank) => {
      const next: number[] = []
      for (const id of ids) {
        if (next.at(-1) === left && id === right) next[next.length - 1] = specials.length + 256 + rank
        else next.push(id)
      }
      ids = next
    })
    return ids
  })
}

test('the Hugging Face library encodes by it as the definition says, and round-trips', () => {
  const samples = [...texts, 'emoji 👩‍👩‍👧 \u0000\u0007\u001b[0m', '\n\n \t x ', "don't  DON'T"]
  for (const text of samples) {
    expect(encodePlain(tokenizer, text)).toEqual(merged(text))
    expect(tokenizer.decode(merged(text))).toBe(text)
  }
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }), (text) => {
      const ids = merged(text)
      expect(encodePlain(tokenizer, text)).toEqual(ids)
      expect(tokenizer.decode(ids)).toBe(text)
    }),
  )
})

test('training is repeatable and compresses', () => {
  expect(trainBpe(texts, 330, chatSpecials)).toEqual(vocabulary)
  expect(trainBpe(texts, 280, chatSpecials).merges.length).toBe(280 - 260)
  // Merging stops early when no pair occurs twice.
  expect(vocabulary.merges.length).toBeLessThan(330 - 260)
  expect(encodePlain(tokenizer, texts[0]).length).toBeLessThan(texts[0].length / 2)
})

test('specials have the first ids, and are never made from text', () => {
  expect(chatSpecials.map((token) => specialId(tokenizer, token))).toEqual([0, 1, 2, 3])
  const ids = encodeDialogue({ id: '', turns: [{ role: 'user', text: '<|end|>' }] }, tokenizer)
  expect(ids).toEqual([0, 1, ...merged('<'), ...merged('|end|>'), 3])
  expect(() => specialId(tokenizer, '<|system|>')).toThrow('not a special token')
})
