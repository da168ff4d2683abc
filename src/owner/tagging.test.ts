import { Tokenizer } from '@huggingface/tokenizers'
import { describe, expect, it, test } from 'vitest'
import { byteLevelJson } from '../../test/support/checkpoint-folder.ts'
import { wordPieceJson } from '../../tools/train/wordpiece.ts'
import { encodeForEncoder } from '../model/tokenizer/encode-text.ts'
import { entitiesOf, taggedWords, wordsOf } from './tagging.ts'

const letters = [..."abcdefghijklmnopqrstuvwxyz',."]
const known = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'ada', 'love', '##lace', 'lived', 'in', 'london']
const vocabulary = [...known, ...letters, ...letters.map((letter) => `##${letter}`)]
const wordPiece = new Tokenizer(wordPieceJson(vocabulary), {})
const byteLevel = new Tokenizer(byteLevelJson(), {})

describe.each([
  ['WordPiece', wordPiece],
  ['byte-level BPE', byteLevel],
])('words by %s', (_, tokenizer) => {
  it('stand where they are in the text, each with its first token', () => {
    const text = "  Ada Lovelace's house,\n in  London."
    const words = wordsOf(tokenizer, text)
    expect(words.map(({ start, end }) => text.slice(start, end))).toEqual([
      'Ada',
      'Lovelace',
      "'",
      's',
      'house',
      ',',
      'in',
      'London',
      '.',
    ])
    const own = [...tokenizer.encode(text, { add_special_tokens: false }).ids]
    words.forEach(({ start, token }, at) => {
      const next = words[at + 1]?.token ?? own.length
      expect(next, text.slice(start)).toBeGreaterThan(token)
    })
    expect(words.at(-1)!.token).toBe(own.length - 1)
  })

  it('are none in an empty text', () => expect(wordsOf(tokenizer, ' \n')).toEqual([]))
})

test('a word gets the likeliest label of its first token; one that was cut off gets none', () => {
  const text = 'Ada lived in London'
  const labels = ['O', 'B-PER', 'B-LOC']
  const label = (limit: number) => {
    const { ids } = encodeForEncoder(wordPiece, { types: 2 }, limit, text)
    // Token t says label t mod 3, special tokens included.
    const logits = Float64Array.from({ length: ids.length * 3 }, (_, i) =>
      i % 3 === Math.floor(i / 3) % 3 ? 2 : 0,
    )
    const words = wordsOf(wordPiece, text)
    const found = taggedWords(wordPiece, text, ids, logits, labels)
    found.forEach((word, at) => {
      expect(word.label).toBe(labels[(words[at].token + 1) % 3])
      expect(word.probability).toBeCloseTo(Math.exp(2) / (Math.exp(2) + 2), 12)
    })
    return found.length
  }
  expect(label(40)).toBe(4)
  const cut = wordsOf(wordPiece, text)[2].token + 2
  expect(label(cut)).toBe(2)
})

const word = (label: string, at: number) => ({
  start: 10 * at,
  end: 10 * at + 5,
  label,
  probability: 0.5 + at / 10,
})

test.each<[string[], [string, number, number][]]>([
  [
    ['B-PER', 'I-PER', 'O', 'B-LOC'],
    [
      ['PER', 0, 15],
      ['LOC', 30, 35],
    ],
  ],
  [
    ['B-PER', 'B-PER'],
    [
      ['PER', 0, 5],
      ['PER', 10, 15],
    ],
  ],
  [
    ['I-PER', 'I-LOC'],
    [
      ['PER', 0, 5],
      ['LOC', 10, 15],
    ],
  ],
  [
    ['S-PER', 'S-PER', 'B-LOC', 'E-LOC', 'I-LOC'],
    [
      ['PER', 0, 5],
      ['PER', 10, 15],
      ['LOC', 20, 35],
      ['LOC', 40, 45],
    ],
  ],
  [
    ['NAME', 'NAME', 'O', 'NAME'],
    [
      ['NAME', 0, 15],
      ['NAME', 30, 35],
    ],
  ],
  [['O', 'O'], []],
])('words %j make %j', (labels, expected) => {
  const found = entitiesOf(labels.map(word))
  expect(found.map(({ label, start, end }) => [label, start, end])).toEqual(expected)
})

test("an entity's probability is the mean of its words'", () => {
  const [entity] = entitiesOf([word('B-X', 0), word('I-X', 1), word('I-X', 2)])
  expect(entity.probability).toBeCloseTo(0.6, 12)
})
