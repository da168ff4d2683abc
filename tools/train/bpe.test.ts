import { Tokenizer } from '@huggingface/tokenizers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BpeEncoder, fromTokenizerJson, splitWords, toTokenizerJson, trainBpe } from './bpe.ts'
import { chatSpecials } from './dialogues.ts'

const texts = [
  'I would like a table for two at seven, please.',
  "That's great! I'd like to book the table at 7:30 pm, please.",
  'Would you like a table at the restaurant on the 7th of March?',
  'naïve café, 東京, 🍣🍣🍣',
]
const vocabulary = trainBpe(texts, 330, chatSpecials)
const encoder = new BpeEncoder(vocabulary)
// Tidying the spaces before punctuation is a default that would change the text.
const library = new Tokenizer(toTokenizerJson(vocabulary), { clean_up_tokenization_spaces: false })

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

test('the Hugging Face library loads it, gives the same ids and round-trips', () => {
  const samples = [...texts, 'emoji 👩‍👩‍👧 \u0000\u0007\u001b[0m', '\n\n \t x ', "don't  DON'T"]
  for (const text of samples) {
    expect(encoder.encode(text)).toEqual(library.encode(text).ids)
    expect(library.decode(encoder.encode(text))).toBe(text)
  }
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }), (text) => {
      const ids = encoder.encode(text)
      expect(library.encode(text).ids).toEqual(ids)
      expect(library.decode(ids)).toBe(text)
    }),
  )
})

test('training is repeatable, compresses, and is read back from tokenizer.json', () => {
  expect(trainBpe(texts, 330, chatSpecials)).toEqual(vocabulary)
  expect(fromTokenizerJson(toTokenizerJson(vocabulary))).toEqual(vocabulary)
  expect(trainBpe(texts, 280, chatSpecials).merges.length).toBe(280 - 260)
  // Merging stops early when no pair occurs twice.
  expect(vocabulary.merges.length).toBeLessThan(330 - 260)
  expect(encoder.encode(texts[0]).length).toBeLessThan(texts[0].length / 2)
})

test('specials have the first ids, and are never made from text', () => {
  expect(chatSpecials.map((token) => encoder.special(token))).toEqual([0, 1, 2, 3])
  expect(Math.min(...encoder.encode('<|end|>'))).toBeGreaterThan(3)
  expect(() => encoder.special('<|system|>')).toThrow('not a special token')
})
