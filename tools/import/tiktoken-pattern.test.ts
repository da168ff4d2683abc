import { Tokenizer } from '@huggingface/tokenizers'
import { describe, expect, test } from 'vitest'
import { byteSymbols, symbolsToBytes } from '../../src/model/tokenizer/byte-symbols.ts'
import { PatternError, splitPattern } from './tiktoken-pattern.ts'

/** Words that the library cuts a text into, from bytes each of which is a token but for what is within a word. */
function words(pattern: string, text: string): string[] {
  const tokenizer = new Tokenizer(
    {
      version: '1.0',
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [
          { type: 'Split', pattern: { Regex: splitPattern(pattern) }, behavior: 'Isolated', invert: false },
          { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
        ],
      },
      post_processor: null,
      decoder: null,
      model: { type: 'BPE', vocab: Object.fromEntries(byteSymbols.map((s, id) => [s, id])), merges: [] },
    },
    {},
  )
  const { pre_tokenizer: cut } = tokenizer
  return cut!.pre_tokenize(text).map((word) => Buffer.from(symbolsToBytes(word)).toString('utf8'))
}

const cl100k =
  "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s"

describe('the pattern of cl100k_base, as tiktoken writes it', () => {
  test.each([
    ['12345678', ['123', '456', '78']],
    ["I'll  see (it)", ['I', "'ll", ' ', ' see', ' (', 'it', ')']],
    ['été 42 !?\r\nx', ['été', ' ', '42', ' !?\r\n', 'x']],
    ['a  \n  ', ['a', '  \n  ']],
    ['a \n b', ['a', ' \n', ' b']],
  ])('%j', (text, expected) => expect(words(cl100k, text)).toEqual(expected))
})

test.each([
  ['\\p{N}{1,2}+7|\\p{N}', '17', ['1', '7']],
  ['\\p{N}{1,2}7|\\p{N}', '17', ['17']],
  ['[ab]++b|[ab]', 'abb', ['a', 'b', 'b']],
  ['x?+xy|[xy]', 'xy', ['x', 'y']],
  ['(?i:k++k)|k|K', 'kK', ['k', 'K']],
  ['\\++a|\\+', '++a', ['++a']],
  ['[$^]++$|.', '^$', ['^$']],
  ['a$|.|\\n', 'a\na', ['a', '\n', 'a']],
])('what a piece has taken it keeps, and no more is changed: %s', (pattern, text, expected) =>
  expect(words(pattern, text)).toEqual(expected),
)

test.each(['(?:ab)++', '(?>ab)c', '[a[bc]]*+'])('%s is refused', (pattern) =>
  expect(() => splitPattern(pattern)).toThrow(PatternError),
)
