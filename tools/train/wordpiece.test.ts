import { Tokenizer } from '@huggingface/tokenizers'
import { describe, expect, it } from 'vitest'
import { bertSpecials, plainWords, wordPieceJson, wordPieceVocabulary } from './wordpiece.ts'

const texts = ['The cat sat. The cat ran!', 'A café for cats; running cats', 'cat the a sat']

describe('a WordPiece vocabulary', () => {
  const frequency = new Map([
    ['sitting', 0.5],
    ['jumped', 0.01],
    ['cats', 0.02],
  ])
  const tokens = wordPieceVocabulary(texts, { size: 126, suffixes: 4, frequency, wanted: ['dull', 'x'] })

  it('has the size asked for at most, each token once, specials first', () => {
    expect(tokens.length).toBeLessThanOrEqual(126)
    expect(new Set(tokens).size).toBe(tokens.length)
    expect(tokens.slice(0, 5)).toEqual(bertSpecials)
  })

  it('holds wanted words and common ones, not words that only the frequencies know', () => {
    for (const word of ['dull', 'the', 'cat', 'cats']) expect(tokens).toContain(word)
    expect(tokens).not.toContain('jumped')
    expect(tokens).not.toContain('sitting')
  })

  it('is the same for the same texts', () => {
    expect(wordPieceVocabulary(texts, { size: 126, suffixes: 4, frequency, wanted: ['dull', 'x'] })).toEqual(
      tokens,
    )
  })
})

it('counts words in lower case, without accents', () => {
  expect(plainWords('Café, 12 CATS')).toEqual(['cafe', '1', '2', 'cats'])
})

describe('its tokenizer.json', () => {
  const words = ['the', 'cat', 'cats', 'is', 'not', 'do', 'good', 'cafe']
  const letters = [..."abcdefghijklmnopqrstuvwxyz,.?'!"].flatMap((c) =>
    /[a-z]/.test(c) ? [c, `##${c}`] : [c],
  )
  const tokenizer = new Tokenizer(wordPieceJson([...bertSpecials, ...letters, ...words, '##ing']), {})
  const tokens = (text: string, pair?: string) => tokenizer.encode(text, { text_pair: pair }).tokens

  it.each([
    ['The CAT!', '[CLS] the cat ! [SEP]'],
    ['Café', '[CLS] cafe [SEP]'],
    ["isn't", '[CLS] is not [SEP]'],
    ["do n't", '[CLS] do not [SEP]'],
    ['don\u2019t', '[CLS] do not [SEP]'],
    ['doing', '[CLS] do ##ing [SEP]'],
    ['catz', '[CLS] cat ##z [SEP]'],
    ['\u00fcber \u{1f600}', '[CLS] u ##b ##e ##r [UNK] [SEP]'],
  ])('reads %s', (text, expected) => {
    expect(tokens(text).join(' ')).toBe(expected)
  })

  it('frames pairs and gives the second text its own type', () => {
    const { tokens: all, token_type_ids: types } = tokenizer.encode('the cat', {
      text_pair: 'good',
      return_token_type_ids: true,
    })
    expect(all).toEqual(['[CLS]', 'the', 'cat', '[SEP]', 'good', '[SEP]'])
    expect(types).toEqual([0, 0, 0, 0, 1, 1])
  })
})
