import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { byteSymbols } from '../../src/model/tokenizer/byte-symbols.ts'
import { decodeText, StreamDecoder } from '../../src/model/tokenizer/chat.ts'
import { encodePlain } from '../../src/model/tokenizer/special.ts'
import { newFolder, smallConfigs } from '../../test/support/checkpoint-folder.ts'
import { readTokenizer, tokenizerKind } from './tokenizer-files.ts'

let dir: string
beforeEach(() => {
  dir = newFolder()
})
afterEach(() => rmSync(dir, { recursive: true }))

const put = (files: Record<string, object | string>): void => {
  mkdirSync(dir, { recursive: true })
  for (const [name, value] of Object.entries(files))
    writeFileSync(join(dir, name), typeof value === 'string' ? value : JSON.stringify(value))
}

/** Everything streamed token by token. */
function streamed(tokenizer: Tokenizer, ids: readonly number[]): string {
  const decoder = new StreamDecoder(tokenizer)
  return ids.map((id) => decoder.push(id)).join('') + decoder.end()
}

describe('byte-level BPE from vocab.json and merges.txt', () => {
  const merges = ['t h', 'th e', 'Ġ the', 'h e', 'l l', 'he ll', 'hell o', 'Ġ w', '# #']
  const words = [...byteSymbols, ...merges.map((line) => line.replace(' ', '')), '<|endoftext|>']
  const files = {
    'vocab.json': Object.fromEntries(words.map((word, id) => [word, id])),
    'merges.txt': `#version: 0.2\n${merges.join('\n')}\n`,
  }
  const make = () => {
    put(files)
    return readTokenizer(dir, smallConfigs.gpt2)
  }

  test('merges apply in their order', () => {
    const json = make()
    const tokenizer = new Tokenizer(json, {})
    expect(tokenizerKind(json)).toBe('byte-level BPE')
    const id = (word: string) => words.indexOf(word)
    expect(tokenizer.encode('hello the world').ids).toEqual([
      id('hello'),
      id('Ġthe'),
      id('Ġw'),
      id('o'),
      id('r'),
      id('l'),
      id('d'),
    ])
    // "the" without a space merges as far as th + e; a merge may begin with a hash sign.
    expect(tokenizer.encode('the##').ids).toEqual([id('the'), id('##')])
    expect(tokenizer.encode('a<|endoftext|>').ids).toEqual([id('a'), id('<|endoftext|>')])
  })

  test.each([
    '👩‍👩‍👧🏳️‍🌈 é',
    '東京で',
    'مرحبا ‏שלום',
    '\u0000\u0007\u001b\u200f\ufeff',
    ' \n\t  x  ',
    '<|endoftext|>',
  ])('%j comes back exactly', (text) => {
    const tokenizer = new Tokenizer(make(), {})
    expect(decodeText(tokenizer, encodePlain(tokenizer, text))).toBe(text)
  })

  test('so does any text', () => {
    const tokenizer = new Tokenizer(make(), {})
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ unit: 'grapheme', maxLength: 40 }),
    )
    fc.assert(
      fc.property(text, (written) => {
        const ids = encodePlain(tokenizer, written)
        expect(streamed(tokenizer, ids)).toBe(written)
      }),
      { numRuns: 100 },
    )
  })

  test("RoBERTa's marks go around one text, and twice between two", () => {
    const specials = ['<s>', '<pad>', '</s>', '<unk>', '<mask>']
    const roberta = [...specials, ...byteSymbols]
    put({ 'vocab.json': Object.fromEntries(roberta.map((word, id) => [word, id])), 'merges.txt': '' })
    const tokenizer = new Tokenizer(readTokenizer(dir, smallConfigs.roberta), {})
    const id = (word: string) => roberta.indexOf(word)
    expect(tokenizer.encode('ab').ids).toEqual([0, id('a'), id('b'), 2])
    expect(tokenizer.encode('a', { text_pair: 'b' }).ids).toEqual([0, id('a'), 2, 2, id('b'), 2])
    expect(tokenizer.encode('a <mask>').ids).toEqual([0, id('a'), 4, 2])
  })
})

describe('WordPiece from vocab.txt', () => {
  const words = [
    '[PAD]',
    '[UNK]',
    '[CLS]',
    '[SEP]',
    '[MASK]',
    'un',
    '##aff',
    '##able',
    'the',
    'cafe',
    '!',
    '東',
    'want',
    '##ed',
  ]
  const id = (word: string) => words.indexOf(word)
  const make = (config: object = {}) => {
    put({ 'vocab.txt': `${words.join('\n')}\n`, 'tokenizer_config.json': config })
    return readTokenizer(dir, smallConfigs.bert)
  }

  test('longest pieces first, as published for "unaffable"', () => {
    const json = make()
    const tokenizer = new Tokenizer(json, {})
    expect(tokenizerKind(json)).toBe('WordPiece')
    // The comma is unknown; the accent goes before pieces are looked for.
    expect(tokenizer.encode('wantéd, the unaffable!').ids).toEqual(
      ['[CLS]', 'want', '##ed', '[UNK]', 'the', 'un', '##aff', '##able', '!', '[SEP]'].map(id),
    )
    // Accents go, Chinese characters stand alone, and a word with one unknown piece is unknown as a whole.
    expect(tokenizer.encode('Café東').ids).toEqual([2, id('cafe'), id('東'), 3])
    expect(tokenizer.encode('wanted wantz').ids).toEqual([2, id('want'), id('##ed'), 1, 3])
  })

  test('pairs have token types', () => {
    const tokenizer = new Tokenizer(make(), {})
    const { ids, token_type_ids } = tokenizer.encode('the', {
      text_pair: 'cafe !',
      return_token_type_ids: true,
    })
    expect(ids).toEqual([2, id('the'), 3, id('cafe'), id('!'), 3])
    expect(token_type_ids).toEqual([0, 0, 0, 1, 1, 1])
  })

  test('cased models keep their case', () => {
    const tokenizer = new Tokenizer(make({ do_lower_case: false }), {})
    expect(tokenizer.encode('The the').ids).toEqual([2, 1, id('the'), 3])
  })

  test.each(['vocab.txt', 'tokenizer.json'])(
    'what tokenizer_config.json says of letters holds for %s',
    (file) => {
      const config = { do_lower_case: true, strip_accents: false, tokenize_chinese_chars: false }
      const json = make(file === 'vocab.txt' ? config : {})
      if (file === 'tokenizer.json') put({ 'tokenizer.json': json, 'tokenizer_config.json': config })
      const tokenizer = new Tokenizer(readTokenizer(dir, smallConfigs.bert), {})
      // The accent stays, so the word is unknown; the character does not stand alone, so the whole is.
      expect(tokenizer.encode('Café CAFE cafe東').ids).toEqual([2, 1, id('cafe'), 1, 3])
    },
  )

  test('tokens that were added later are found', () => {
    put({ 'added_tokens.json': { 'covid-19': words.length } })
    const tokenizer = new Tokenizer(make(), {})
    expect(tokenizer.encode('the Covid-19 the').ids).toEqual([2, id('the'), words.length, id('the'), 3])
    put({ 'added_tokens.json': { 'covid-19': 'x' } })
    expect(() => make()).toThrow('"covid-19" must have a whole number')
  })

  test('files older than the field are of the form that they have', () => {
    const json = make()
    delete json.model.type
    put({ 'tokenizer.json': json })
    expect(tokenizerKind(readTokenizer(dir, smallConfigs.bert))).toBe('WordPiece')
  })

  test('another way to cut words is refused', () => {
    expect(() => make({ do_basic_tokenize: false })).toThrow('"do_basic_tokenize"')
  })

  test('text comes back in words, streamed as well', () => {
    const tokenizer = new Tokenizer(make(), {})
    const ids = [id('un'), id('##aff'), id('##able'), id('cafe')]
    expect(streamed(tokenizer, ids)).toBe('unaffable cafe')
  })

  test('marks added behind the embedding are text, which is said, and refused where texts are marked with them', () => {
    const json = make()
    json.added_tokens!.push({ id: smallConfigs.bert.vocab, content: '[MORE]', special: true })
    put({ 'tokenizer.json': json })
    const notes: string[] = []
    const tokenizer = new Tokenizer(readTokenizer(dir, smallConfigs.bert, notes), {})
    expect(tokenizer.encode('the[MORE]').ids).not.toContain(smallConfigs.bert.vocab)
    expect(notes).toEqual([expect.stringContaining('"[MORE]"')])
    const chat_template = "{% for m in messages %}[MORE]{{ m['content'] }}[SEP]{% endfor %}"
    put({ 'tokenizer_config.json': { chat_template } })
    expect(() => readTokenizer(dir, smallConfigs.bert)).toThrow(/"\[MORE\]".*has the id \d+, but/)
    const around =
      "{% for m in messages %}{{ '[MORE]' if m['role'] == 'system' else '[CLS]' }}{{ m['content'] }}[SEP]{% endfor %}"
    put({ 'tokenizer_config.json': { chat_template: around } })
    expect(() => readTokenizer(dir, smallConfigs.bert)).toThrow(/"\[MORE\]".*has the id \d+, but/)
  })

  test('a list without the marks is refused', () => {
    put({ 'vocab.txt': 'a\nb\n' })
    expect(() => readTokenizer(dir, smallConfigs.bert)).toThrow('lacks [PAD]')
  })
})

test('Unigram takes the likeliest pieces', () => {
  const vocab = [
    ['<unk>', 0],
    ['▁a', -1],
    ['b', -2],
    ['c', -2],
    ['bc', -3],
    ['▁ab', -2.5],
    ['▁', -4],
  ]
  put({
    'tokenizer.json': {
      version: '1.0',
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
      post_processor: null,
      decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
      // A file as old as the form: without a type.
      model: { unk_id: 0, vocab },
    },
  })
  const json = readTokenizer(dir, smallConfigs.bert)
  expect(tokenizerKind(json)).toBe('Unigram')
  const tokenizer = new Tokenizer(json, {})
  // ▁a bc: -4; ▁ab c: -4.5; ▁a b c: -5.
  expect(tokenizer.encode('abc').ids).toEqual([1, 4])
  // ▁ab: -2.5; ▁a b: -3.
  expect(tokenizer.encode('ab').ids).toEqual([5])
  expect(tokenizer.encode('a abc').ids).toEqual([1, 1, 4])
  expect(streamed(tokenizer, [1, 1, 4])).toBe('a abc')
})

test('BPE with bytes for what its vocabulary lacks, as LLaMA 2 has it', () => {
  const bytes = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`)
  const words = ['<unk>', '<s>', '</s>', ...bytes, '▁', 'h', 'i', '▁h', '▁hi', '!']
  put({
    'tokenizer.json': {
      version: '1.0',
      added_tokens: ['<s>', '</s>'].map((content) => ({
        id: words.indexOf(content),
        content,
        special: true,
      })),
      normalizer: {
        type: 'Sequence',
        normalizers: [
          { type: 'Prepend', prepend: '▁' },
          { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
        ],
      },
      pre_tokenizer: null,
      post_processor: null,
      decoder: {
        type: 'Sequence',
        decoders: [
          { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
          { type: 'ByteFallback' },
          { type: 'Fuse' },
          { type: 'Strip', content: ' ', start: 1, stop: 0 },
        ],
      },
      model: {
        type: 'BPE',
        unk_token: '<unk>',
        byte_fallback: true,
        vocab: Object.fromEntries(words.map((word, id) => [word, id])),
        merges: ['▁ h', '▁h i'],
      },
    },
  })
  const json = readTokenizer(dir, smallConfigs.llama)
  expect(tokenizerKind(json)).toBe('BPE')
  const tokenizer = new Tokenizer(json, {})
  const id = (word: string) => words.indexOf(word)
  const sushi = ['<0xF0>', '<0x9F>', '<0x8D>', '<0xA3>'].map(id)
  const ids = [id('▁hi'), id('▁'), ...sushi, id('!')]
  expect(tokenizer.encode('hi 🍣!').ids).toEqual(ids)
  expect(streamed(tokenizer, ids)).toBe('hi 🍣!')
  // Nothing of the character is shown before its last byte.
  const decoder = new StreamDecoder(tokenizer)
  const parts = ids.map((each) => decoder.push(each))
  expect(parts.slice(2, 5)).toEqual(['', '', ''])
  expect(parts[5]).toBe('🍣')
  // Long replies forget their beginning without losing a word.
  const long = Array.from({ length: 200 }, () => [id('▁hi'), id('!')]).flat()
  expect(streamed(tokenizer, long)).toBe(Array.from({ length: 200 }, () => 'hi!').join(' '))
})
