import { Tokenizer } from '@huggingface/tokenizers'
import { describe, expect, it } from 'vitest'
import { bertSpecials, wordPieceJson } from '../../../tools/train/wordpiece.ts'
import { encodeForEncoder } from './encode-text.ts'

const words = ['one', 'two', 'three', 'four', 'five', 'six']
const tokens = [...bertSpecials, ...words]
const bert = new Tokenizer(wordPieceJson(tokens), {})
const roberta = new Tokenizer(
  {
    ...wordPieceJson(tokens),
    post_processor: {
      type: 'RobertaProcessing',
      sep: ['[SEP]', 3],
      cls: ['[CLS]', 2],
      trim_offsets: true,
      add_prefix_space: false,
    },
  },
  {},
)

/** Tokens as text, and their types. */
function read(tokenizer: Tokenizer, types: number, limit: number, text: string, pair?: string) {
  const out = encodeForEncoder(tokenizer, { types }, limit, text, pair)
  return {
    ...out,
    ids: out.ids.map((id) => tokens[id].replace(/[[\]]/g, '')).join(' '),
    types: out.types.join(''),
  }
}

describe('BERT', () => {
  it('gets special tokens and token types', () => {
    expect(read(bert, 2, 10, 'one two')).toEqual({ ids: 'CLS one two SEP', types: '0000', isCut: false })
    expect(read(bert, 2, 10, 'one two', 'three')).toEqual({
      ids: 'CLS one two SEP three SEP',
      types: '000011',
      isCut: false,
    })
  })

  it('keeps the last special token of a text that is cut', () => {
    expect(read(bert, 2, 4, 'one two three four')).toEqual({
      ids: 'CLS one two SEP',
      types: '0000',
      isCut: true,
    })
    expect(read(bert, 2, 4, 'one two').isCut).toBe(false)
  })

  it.each([
    ['one two three four', 'five', 'CLS one two SEP five SEP'],
    ['one', 'three four five six', 'CLS one SEP three four SEP'],
    ['one two three', 'four five six', 'CLS one two SEP four SEP'],
  ])('cuts the longer text of a pair: %s + %s', (text, pair, ids) => {
    const limit = ids.split(' ').length
    expect(read(bert, 2, limit, text, pair)).toMatchObject({ ids, isCut: true })
    expect(read(bert, 2, limit, text, pair).types).toMatch(/^0+1+$/)
  })

  it('reads nothing at all as two special tokens', () => {
    expect(read(bert, 2, 10, '').ids).toBe('CLS SEP')
  })
})

it('RoBERTa separates a pair by two tokens, and knows one token type', () => {
  expect(read(roberta, 1, 10, 'one two', 'three')).toEqual({
    ids: 'CLS one two SEP SEP three SEP',
    types: '0000000',
    isCut: false,
  })
  expect(read(roberta, 1, 7, 'one two three', 'four five').ids).toBe('CLS one two SEP SEP four SEP')
})
