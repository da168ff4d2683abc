/** Small tokenizers of the kinds that models come with, as their `tokenizer.json` says them. */
import type { TokenizerJson } from '../../tools/import/tokenizer-json.ts'
import { byteLevelJson } from './checkpoint-folder.ts'

const alphabet = [
  ...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789,.!?\'"()-_/:#&=<>|[]σςοφώßéèïçа你好。',
]

const vocabularyOf = (words: readonly string[]): Record<string, number> =>
  Object.fromEntries([...new Set(words)].map((word, id) => [word, id]))

const added = (content: string, id: number, more: object = {}) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
  ...more,
})

const bertSpecials = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']

function bert(lowercase: boolean, strip_accents: boolean | null): TokenizerJson {
  const vocab = vocabularyOf([
    ...bertSpecials,
    ...['hello', 'world', 'it', 'we', '##ve', 'don', 'σοφο', 'zoe', 'zoë', 'naive'],
    ...alphabet,
    ...alphabet.map((sign) => `##${sign}`),
  ])
  return {
    version: '1.0',
    added_tokens: bertSpecials.map((token) => added(token, vocab[token])),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents,
      lowercase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'BertProcessing',
      sep: ['[SEP]', vocab['[SEP]']],
      cls: ['[CLS]', vocab['[CLS]']],
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  }
}

/** Llama 3's and Qwen2's: a pattern of their own before the bytes. */
function splitBytes(digits: string): TokenizerJson {
  const regex = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`
  return {
    ...byteLevelJson(['<|begin|>', '<|end|>']),
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
  }
}

/** Llama 2's: spaces are signs, and what is not in the vocabulary is bytes. */
function byteFallback(): TokenizerJson {
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`)
  const merges = ['▁ h', 'h e', 'l l', '▁ w', '▁ ▁', 'o r']
  const vocab = vocabularyOf([
    ...['<unk>', '<s>', '</s>'],
    ...bytes,
    '▁',
    ...alphabet,
    ...merges.map((pair) => pair.replace(' ', '')),
  ])
  return {
    version: '1.0',
    added_tokens: ['<unk>', '<s>', '</s>'].map((token) => added(token, vocab[token])),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: { type: 'BPE', unk_token: '<unk>', fuse_unk: true, byte_fallback: true, vocab, merges },
  }
}

function unigram(): TokenizerJson {
  const pieces = ['<s>', '<pad>', '</s>', '<unk>', '▁', '▁hello', '▁he', 'llo', 'ing', ...alphabet]
  return {
    version: '1.0',
    added_tokens: ['<s>', '<pad>', '</s>', '<unk>'].map((token, id) => added(token, id)),
    normalizer: { type: 'NFKC' },
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    post_processor: {
      type: 'RobertaProcessing',
      sep: ['</s>', 2],
      cls: ['<s>', 0],
      trim_offsets: true,
      add_prefix_space: true,
    },
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    model: {
      type: 'Unigram',
      unk_id: 3,
      vocab: [...new Set(pieces)].map((piece, i) => [piece, i < 4 ? 0 : -2 - i / 7]),
    },
  }
}

function wordLevel(): TokenizerJson {
  const vocab = vocabularyOf([
    '<unk>',
    'Hello',
    ',',
    'world',
    '!',
    '"',
    'It',
    "'",
    's',
    'two',
    'lines',
    '(',
    ')',
    '.',
  ])
  return {
    version: '1.0',
    added_tokens: [added('<unk>', 0)],
    normalizer: null,
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: null,
    decoder: null,
    model: { type: 'WordLevel', vocab, unk_token: '<unk>' },
  }
}

export const tokenizerCases: Readonly<Record<string, TokenizerJson>> = {
  'byte-level BPE': byteLevelJson(),
  'bytes behind a pattern, three digits at most': splitBytes('{1,3}'),
  'bytes behind a pattern, digit by digit': splitBytes(''),
  'WordPiece in lower case': bert(true, null),
  'WordPiece as written': bert(false, false),
  'BPE with bytes for what it lacks': byteFallback(),
  Unigram: unigram(),
  WordLevel: wordLevel(),
}
