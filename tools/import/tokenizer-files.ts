/** A model's tokenizer as one `tokenizer.json`, made from older files where there is none. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import * as v from 'valibot'
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { continuesText } from '../../src/model/graph/graph-of.ts'
import { ImportError } from './error.ts'
import { readJson } from './source.ts'

/** The part of `tokenizer.json` that is looked at here. */
export interface TokenizerJson {
  model: { type?: string; vocab?: unknown; merges?: unknown; [key: string]: unknown }
  added_tokens?: { id: number; content: string; special: boolean }[]
  [key: string]: unknown
}

const kinds = ['BPE', 'WordPiece', 'Unigram'] as const

/** Reads or builds a folder's `tokenizer.json`, and tries it. Throws {@link ImportError}. */
export function readTokenizer(dir: string, config: ModelConfig): TokenizerJson {
  const file = join(dir, 'tokenizer.json')
  const has = (name: string) => existsSync(join(dir, name))
  let json: TokenizerJson
  if (has('tokenizer.json')) json = readJson(file) as TokenizerJson
  else if (has('vocab.txt')) json = fromVocabTxt(dir)
  else if (has('vocab.json') && has('merges.txt')) json = fromMerges(dir, config)
  else {
    const advice = has('tokenizer.model')
      ? 'Load tokenizer.model with AutoTokenizer in Transformers and save it: that writes tokenizer.json.'
      : 'A model folder has tokenizer.json, or vocab.txt, or vocab.json and merges.txt.'
    throw new ImportError('not-found', `${dir} holds no tokenizer that can be read here. ${advice}`, {
      file: dir,
    })
  }
  check(json, existsSync(file) ? file : dir, config)
  return json
}

/** Byte-level BPE tokenizers give text back exactly; the others normalise it. */
export function tokenizerKind(json: TokenizerJson): string {
  const steps = JSON.stringify([json.pre_tokenizer, json.decoder])
  return json.model.type === 'BPE' && steps.includes('"ByteLevel"')
    ? 'byte-level BPE'
    : String(json.model.type)
}

const id = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
/** What is read here and by the tokenizer without another look. */
const lookedAt = v.looseObject({
  model: v.looseObject({ type: v.optional(v.string()) }),
  added_tokens: v.optional(v.array(v.looseObject({ id, content: v.string() }))),
})

function check(json: TokenizerJson, file: string, config: ModelConfig): void {
  const shape = v.safeParse(lookedAt, json)
  if (!shape.success) {
    const [{ message }] = shape.issues
    const place = v.getDotPath(shape.issues[0]) ?? 'the file'
    throw new ImportError('bad-file', `${file} is no tokenizer: ${place}: ${message}.`, { file })
  }
  // Files older than the field are BPE where they have merges.
  const type = json.model.type ?? (json.model.merges ? 'BPE' : undefined)
  if (!kinds.some((kind) => kind === type))
    throw new ImportError(
      'unsupported',
      `${file}: tokenizer model "${type}" is not supported; supported are ${kinds.join(', ')}.`,
      { file },
    )
  json.model.type = type
  // Tokens that somebody added behind the last row of the embedding can't be said.
  json.added_tokens = json.added_tokens?.filter(({ id }) => id < config.vocab)
  let ids: number[]
  try {
    const tokenizer = new Tokenizer(json, {})
    tokenizer.encode('A first try.')
    ids = v.parse(v.array(id), [...tokenizer.get_vocab().values()])
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ImportError('bad-file', `${file} can't be used: ${why}.`, { file, cause })
  }
  const largest = ids.reduce((a, b) => Math.max(a, b), 0)
  if (largest >= config.vocab)
    throw new ImportError(
      'wrong-shape',
      `${file} has ids up to ${largest}, but the embedding has ${config.vocab} rows. One of the two is of another model.`,
      { file },
    )
}

function flag(dir: string, key: string, fallback: boolean): boolean {
  const file = join(dir, 'tokenizer_config.json')
  const value = existsSync(file) ? readJson(file)[key] : undefined
  return typeof value === 'boolean' ? value : fallback
}

/** BERT's WordPiece from a list of words, one a line. */
function fromVocabTxt(dir: string): TokenizerJson {
  const file = join(dir, 'vocab.txt')
  const words = readFileSync(file, 'utf8')
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
  const vocab: Record<string, number> = {}
  words.forEach((word, id) => {
    vocab[word] ??= id
  })
  const specials = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
  for (const special of specials)
    if (vocab[special] === undefined)
      throw new ImportError('unsupported', `${file} lacks ${special}: it is not BERT's.`, { file })
  const lowercase = flag(dir, 'do_lower_case', true)
  return {
    version: '1.0',
    added_tokens: added(vocab, specials),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
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

/** GPT-2's and RoBERTa's byte-level BPE from `vocab.json` and `merges.txt`. */
function fromMerges(dir: string, config: ModelConfig): TokenizerJson {
  const vocab = readJson(join(dir, 'vocab.json')) as Record<string, number>
  const merges = readFileSync(join(dir, 'merges.txt'), 'utf8')
    .split(/\r?\n/)
    // The first line may be a version. A merge may itself begin with a hash sign.
    .filter((line, i) => line !== '' && !(i === 0 && line.startsWith('#version')))
  // Encoders with such a tokenizer mark texts as RoBERTa does.
  const isRoberta = !continuesText(config)
  const specials = (isRoberta ? ['<s>', '<pad>', '</s>', '<unk>', '<mask>'] : ['<|endoftext|>']).filter(
    (token) => vocab[token] !== undefined,
  )
  const trim = { add_prefix_space: flag(dir, 'add_prefix_space', false), trim_offsets: true }
  return {
    version: '1.0',
    added_tokens: added(vocab, specials),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', ...trim, use_regex: true },
    post_processor: isRoberta
      ? { type: 'RobertaProcessing', sep: ['</s>', vocab['</s>']], cls: ['<s>', vocab['<s>']], ...trim }
      : { type: 'ByteLevel', ...trim },
    decoder: { type: 'ByteLevel', ...trim, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      vocab,
      merges,
    },
  }
}

const added = (vocab: Record<string, number>, specials: string[]) =>
  specials.map((content) => ({
    id: vocab[content],
    content,
    single_word: false,
    // A mask takes the space before it along.
    lstrip: content === '<mask>',
    rstrip: false,
    normalized: false,
    special: true,
  }))
