/** A model's tokenizer as one `tokenizer.json`, made from older files where there is none. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import * as v from 'valibot'
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { continuesText } from '../../src/model/graph/graph-of.ts'
import { turnMarks } from '../../src/model/tokenizer/template.ts'
import { namedTokens, templateOf } from './chat-format.ts'
import { ImportError } from './error.ts'
import { readJson } from './source.ts'
import { fromTiktoken, tiktokenFile } from './tiktoken.ts'
import { alike, tryOut } from './tokenizer-features.ts'
import type { TokenizerJson } from './tokenizer-json.ts'

const kinds = ['BPE', 'WordPiece', 'Unigram', 'WordLevel'] as const

/** Reads or builds a folder's `tokenizer.json`, and tries it; `notes` takes what was left out of it. Throws {@link ImportError}. */
export function readTokenizer(dir: string, config: ModelConfig, notes: string[] = []): TokenizerJson {
  const file = join(dir, 'tokenizer.json')
  const has = (name: string) => existsSync(join(dir, name))
  const tiktoken = existsSync(dir) ? tiktokenFile(dir) : undefined
  let json: TokenizerJson
  if (has('tokenizer.json')) json = withFlags(dir, readJson(file) as TokenizerJson)
  else if (has('vocab.txt')) json = fromVocabTxt(dir)
  else if (has('vocab.json') && has('merges.txt')) json = fromMerges(dir, config)
  else if (tiktoken) json = fromTiktoken(dir, tiktoken)
  else {
    const advice = has('tokenizer.model')
      ? 'Load tokenizer.model with AutoTokenizer in Transformers and save it: that writes tokenizer.json.'
      : 'A model folder has tokenizer.json, or vocab.txt, or vocab.json and merges.txt.'
    throw new ImportError('not-found', `${dir} holds no tokenizer that can be read here. ${advice}`, {
      file: dir,
    })
  }
  const named = existsSync(file) ? file : dir
  checkForm(json, named)
  const out = withoutUnsayable(dir, alike(json, named), { file: named, vocab: config.vocab, notes })
  check(out, named, config)
  return out
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

function checkForm(json: TokenizerJson, file: string): void {
  const shape = v.safeParse(lookedAt, json)
  if (!shape.success) {
    const [{ message }] = shape.issues
    const place = v.getDotPath(shape.issues[0]) ?? 'the file'
    throw new ImportError('bad-file', `${file} is no tokenizer: ${place}: ${message}.`, { file })
  }
  const type = json.model.type ?? typeByForm(json.model)
  if (!kinds.some((kind) => kind === type))
    throw new ImportError(
      'unsupported',
      `${file}: tokenizer model "${type}" is not supported; supported are ${kinds.join(', ')}.`,
      { file },
    )
  json.model.type = type
}

/**
 * Without tokens that somebody added behind the last row of the embedding, which can't be said: a text that spells one is
 * then text. Throws {@link ImportError} where the model is spoken to in such tokens.
 */
function withoutUnsayable(
  dir: string,
  json: TokenizerJson,
  { file, vocab, notes }: { file: string; vocab: number; notes: string[] },
): TokenizerJson {
  const beyond = (json.added_tokens ?? []).filter(({ id }) => id >= vocab)
  if (beyond.length === 0) return json
  const around = [...marksIn(dir), JSON.stringify(json.post_processor ?? null)].join('\n')
  const needed = beyond.find(({ content }) => around.includes(content))
  if (needed)
    throw new ImportError(
      'wrong-shape',
      `${file}: "${needed.content}", with which texts are marked, has the id ${needed.id}, but the embedding has ${vocab} rows. Take the weights that were trained with this tokenizer.`,
      { file },
    )
  const some = beyond.slice(0, 5).map(({ content }) => `"${content}"`)
  const more = beyond.length > some.length ? ` and ${beyond.length - some.length} more` : ''
  notes.push(
    `Added tokens without a row in the embedding (${vocab} rows) are left out, and text like any other: ${some.join(', ')}${more}.`,
  )
  return { ...json, added_tokens: json.added_tokens?.filter(({ id }) => id < vocab) }
}

/** What the folder's chat template, if any, puts around texts, and around a system prompt where it takes one. */
function marksIn(dir: string): string[] {
  const file = join(dir, 'tokenizer_config.json')
  const config = existsSync(file) ? readJson(file) : {}
  const template = existsSync(dir) ? templateOf(dir, config.chat_template) : undefined
  const marks = template === undefined ? undefined : turnMarks(template, namedTokens(config))
  if (!marks) return []
  const { first, next, reply, lead, opening, system } = marks
  return [first, next, reply, lead, opening, ...(system ? [system.before, system.after] : [])]
}

function check(json: TokenizerJson, file: string, config: ModelConfig): void {
  let ids: number[]
  try {
    const tokenizer = new Tokenizer(json, {})
    tryOut(tokenizer, json, file)
    ids = v.parse(v.array(id), [...tokenizer.get_vocab().values()])
  } catch (cause) {
    if (cause instanceof ImportError) throw cause
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

/**
 * What tokenizer_config.json says of letters prevails over tokenizer.json, as in Transformers, whose fast BERT tokenizers
 * set their normalizer by it.
 */
function withFlags(dir: string, json: TokenizerJson): TokenizerJson {
  const outer = json.normalizer as (Record<string, unknown> & { normalizers?: unknown }) | null | undefined
  const steps: unknown[] = Array.isArray(outer?.normalizers) ? outer.normalizers : [outer]
  const normalizer = steps
    .filter((step): step is Record<string, unknown> => typeof step === 'object' && step !== null)
    .find(({ type }) => type === 'BertNormalizer')
  if (!normalizer) return json
  for (const [key, field] of [
    ['do_lower_case', 'lowercase'],
    ['strip_accents', 'strip_accents'],
    ['tokenize_chinese_chars', 'handle_chinese_chars'],
  ] as const)
    normalizer[field] = flag(dir, key, undefined) ?? normalizer[field]
  return json
}

/** Files older than the field `type` are told by what else they hold. */
function typeByForm(model: TokenizerJson['model'] | undefined): string | undefined {
  if (Array.isArray(model?.merges)) return 'BPE'
  if (Array.isArray(model?.vocab)) return 'Unigram'
  return model?.continuing_subword_prefix === undefined ? undefined : 'WordPiece'
}

function flag<T extends boolean | undefined>(dir: string, key: string, fallback: T): boolean | T {
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
  if (!flag(dir, 'do_basic_tokenize', true))
    throw new ImportError(
      'unsupported',
      `${file}: "do_basic_tokenize": false is not supported. Load the tokenizer with AutoTokenizer in Transformers and save it: that writes tokenizer.json.`,
      { file },
    )
  const lowercase = flag(dir, 'do_lower_case', true)
  return {
    version: '1.0',
    added_tokens: [...added(vocab, specials), ...addedLater(dir, specials)],
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: flag(dir, 'tokenize_chinese_chars', true),
      // Where nothing is said, accents go with the capitals.
      strip_accents: flag(dir, 'strip_accents', undefined) ?? null,
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
    added_tokens: [...added(vocab, specials), ...addedLater(dir, specials)],
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

/** Tokens that were added to a vocabulary afterwards: `added_tokens.json`, where older tokenizers keep them. */
function addedLater(dir: string, specials: readonly string[]) {
  const file = join(dir, 'added_tokens.json')
  if (!existsSync(file)) return []
  const named = existsSync(join(dir, 'special_tokens_map.json'))
    ? JSON.stringify(readJson(join(dir, 'special_tokens_map.json')))
    : ''
  return Object.entries(readJson(file))
    .filter(([content]) => !specials.includes(content))
    .map(([content, id]) => {
      if (!Number.isInteger(id) || (id as number) < 0)
        throw new ImportError('bad-file', `${file}: "${content}" must have a whole number as its id.`, {
          file,
        })
      const special = named.includes(JSON.stringify(content))
      return {
        id: id as number,
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        // What is not special is found in the text as it is after normalisation, as Transformers does.
        normalized: !special,
        special,
      }
    })
}
