/**
 * Vocabularies in tiktoken's form: a line for each token, its bytes in base64 and its rank. What merges in which order
 * follows from the ranks, as in Transformers' `TikTokenConverter`; the pattern that cuts texts into words is not in the file.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { byteSymbols } from '../../src/model/tokenizer/byte-symbols.ts'
import { ImportError } from './error.ts'
import { readJson } from './source.ts'
import { PatternError, splitPattern } from './tiktoken-pattern.ts'
import { tiktokenSpecials } from './tiktoken-specials.ts'
import type { TokenizerJson } from './tokenizer-json.ts'

const LINE = /^([A-Za-z0-9+/]+={0,2}) (\d{1,9})$/

/** The folder's file of that form: `*.tiktoken`, or a `tokenizer.model` that is one, as LLaMA 3's is. */
export function tiktokenFile(dir: string): string | undefined {
  const named = readdirSync(dir).find((name) => name.endsWith('.tiktoken'))
  if (named) return join(dir, named)
  const model = join(dir, 'tokenizer.model')
  if (!existsSync(model)) return undefined
  const first = readFileSync(model).subarray(0, 64).toString('latin1').split('\n')[0]
  return LINE.test(first) ? model : undefined
}

/**
 * `tokenizer.json` of it. Throws {@link ImportError}, with the command that completes a folder whose pattern or special tokens
 * are not known.
 */
export function fromTiktoken(dir: string, file: string): TokenizerJson {
  const config = existsSync(join(dir, 'tokenizer_config.json'))
    ? readJson(join(dir, 'tokenizer_config.json'))
    : {}
  const pattern = config.pattern ?? config.pat_str
  const ranks = readRanks(file)
  if (typeof pattern !== 'string')
    throw new ImportError(
      'unsupported',
      `${file}: this vocabulary does not say how texts are cut into words, and tokenizer_config.json has no "pattern". ${completion(dir, ranks, false)}`,
      { file },
    )
  const { added, missing } = tiktokenSpecials(dir, ranks)
  if (missing.length > 0)
    throw new ImportError(
      'unsupported',
      `${file}: "added_tokens_decoder" in tokenizer_config.json does not hold ${missing.slice(0, 4).join(', ')}, which other files of the folder name: texts would not be read as the model knows them. ${completion(dir, ranks, true)}`,
      { file },
    )
  const vocab = Object.fromEntries([...ranks].map(([bytes, rank]) => [symbolsOf(bytes), rank]))
  return {
    version: '1.0',
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: inOurTerms(pattern, file) }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      // A word that is a token is that token, whatever merges would lead to.
      ignore_merges: true,
      vocab,
      merges: mergesOf(ranks),
    },
  }
}

function inOurTerms(pattern: string, file: string): string {
  try {
    return splitPattern(pattern)
  } catch (cause) {
    if (!(cause instanceof PatternError)) throw cause
    throw new ImportError(
      'unsupported',
      `${file}: its pattern has ${cause.message}, which is not supported.`,
      {
        file,
        cause,
      },
    )
  }
}

/**
 * What a person fills in, as Python code has it: nothing else quotes a pattern, which holds quotes and backslashes, as it stands
 * there. Ids go on behind the ranks.
 */
function completion(dir: string, ranks: ReadonlyMap<string, number>, hasPattern: boolean): string {
  const first = [...ranks.values()].reduce((a, b) => Math.max(a, b), 0) + 1
  const lines = [
    `python3 - <<'END'`,
    'import json, os',
    ...(hasPattern ? [] : ['pattern = r"""PATTERN"""']),
    'special = ["<|FIRST|>", "<|SECOND|>"]',
    `path = ${JSON.stringify(join(dir, 'tokenizer_config.json'))}`,
    'config = json.load(open(path)) if os.path.exists(path) else {}',
    ...(hasPattern ? [] : ['config["pattern"] = pattern']),
    `tokens = {str(${first} + i): {"content": token, "special": True} for i, token in enumerate(special)}`,
    'config["added_tokens_decoder"] = {**config.get("added_tokens_decoder", {}), **tokens}',
    'json.dump(config, open(path, "w"))',
    'END',
  ]
  const parts = hasPattern ? 'all special tokens' : 'the pattern (pat_str) and all special tokens'
  return `With ${parts} of its tokenizer's Python code, these in the order of their ids from ${first} on, this completes tokenizer_config.json:\n\n${lines.join('\n')}\n`
}

/** Ranks by bytes, as Latin-1. */
function readRanks(file: string): Map<string, number> {
  const ranks = new Map<string, number>()
  const taken = new Set<number>()
  for (const [i, line] of readFileSync(file, 'latin1').split(/\r?\n/).entries()) {
    if (line === '') continue
    const found = LINE.exec(line)
    const bytes = found ? Buffer.from(found[1], 'base64').toString('latin1') : ''
    const rank = Number(found?.[2])
    if (bytes === '' || ranks.has(bytes) || taken.has(rank))
      throw new ImportError(
        'bad-file',
        `${file}: line ${i + 1} is no new token and rank in tiktoken's form.`,
        {
          file,
        },
      )
    ranks.set(bytes, rank)
    taken.add(rank)
  }
  const missing = byteSymbols.findIndex((_, byte) => !ranks.has(String.fromCharCode(byte)))
  if (missing >= 0)
    throw new ImportError('bad-file', `${file}: the byte ${missing} has no token: the file is cut short.`, {
      file,
    })
  return ranks
}

const symbolsOf = (bytes: string): string =>
  Array.from(bytes, (byte) => byteSymbols[byte.charCodeAt(0)]).join('')

/** Pairs by the rank of what they make; of two ways to one token, the one whose parts are of lower ranks. */
function mergesOf(ranks: ReadonlyMap<string, number>): [string, string][] {
  const merges: [string, string][] = []
  for (const [bytes] of [...ranks].sort(([, a], [, b]) => a - b)) {
    const own: [string, string][] = []
    for (let at = 1; at < bytes.length; at++) {
      const [left, right] = [bytes.slice(0, at), bytes.slice(at)]
      if (ranks.has(left) && ranks.has(right)) own.push([left, right])
    }
    own.sort(([a, b], [c, d]) => ranks.get(a)! - ranks.get(c)! || ranks.get(b)! - ranks.get(d)!)
    for (const [left, right] of own) merges.push([symbolsOf(left), symbolsOf(right)])
  }
  return merges
}
