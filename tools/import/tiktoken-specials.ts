/** Special tokens of a vocabulary in tiktoken's form, which are not in the file itself. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { turnMarks } from '../../src/model/tokenizer/template.ts'
import { contentOf, namedTokens, templateOf } from './chat-format.ts'
import { ImportError } from './error.ts'
import { readJson } from './source.ts'
import type { TokenizerJson } from './tokenizer-json.ts'

/** What `added_tokens_decoder` says of them, and what other files name that it does not hold, as people read it. */
export interface TiktokenSpecials {
  readonly added: NonNullable<TokenizerJson['added_tokens']>
  readonly missing: readonly string[]
}

/** `ranks` are the vocabulary's own, by bytes as Latin-1. Throws {@link ImportError} for a list that is none. */
export function tiktokenSpecials(dir: string, ranks: ReadonlyMap<string, number>): TiktokenSpecials {
  const read = (name: string) => (existsSync(join(dir, name)) ? readJson(join(dir, name)) : {})
  const config = read('tokenizer_config.json')
  const added = addedTokens(config.added_tokens_decoder, ranks, join(dir, 'tokenizer_config.json'))
  const contents = new Set(added.map(({ content }) => content))
  const ids = new Set([...added.map(({ id }) => id), ...ranks.values()])
  const named = [
    ...[config, read('special_tokens_map.json')].flatMap(namesIn),
    ...namesInTemplate(dir, config, added.length > 0),
  ]
  const endIds = [read('generation_config.json'), read('config.json')]
    .flatMap(({ bos_token_id, eos_token_id }) => [bos_token_id, eos_token_id].flat())
    .filter((id): id is number => Number.isInteger(id) && (id as number) >= 0)
  return {
    added,
    missing: [
      ...[...new Set(named)].filter((name) => !contents.has(name)).map((name) => JSON.stringify(name)),
      ...[...new Set(endIds)].filter((id) => !ids.has(id)).map((id) => `the id ${id}`),
    ],
  }
}

function namesIn(json: Record<string, unknown>): string[] {
  const { additional_special_tokens: older, extra_special_tokens: newer } = json
  const more = [older, newer].flatMap((list) =>
    typeof list === 'object' && list !== null ? Object.values(list) : [],
  )
  return [...Object.values(namedTokens(json)), ...more.flatMap((token) => contentOf(token) ?? [])]
}

/** What stands in a template as special tokens do. Where none are known at all, tags count as well. */
function namesInTemplate(dir: string, config: Record<string, unknown>, knowsSome: boolean): string[] {
  const template = templateOf(dir, config.chat_template)
  if (template === undefined) return []
  const rendered = Object.values(turnMarks(template, namedTokens(config)) ?? {})
  const text = [template, ...rendered].join('\n')
  return text.match(knowsSome ? /<\|[^<>|\s'"{}]+\|>/g : /<\|[^<>|\s'"{}]+\|>|<\/?\w+>/g) ?? []
}

function addedTokens(
  decoder: unknown,
  ranks: ReadonlyMap<string, number>,
  file: string,
): TiktokenSpecials['added'] {
  if (typeof decoder !== 'object' || decoder === null) return []
  const taken = new Map([...ranks].map(([bytes, rank]) => [rank, bytes]))
  return Object.entries(decoder).map(([key, token]) => {
    const { content, ...flags } = token as Record<string, unknown>
    const id = /^\d{1,9}$/.test(key) ? Number(key) : undefined
    if (id === undefined || typeof content !== 'string')
      throw new ImportError('bad-file', `${file}: "added_tokens_decoder" has no token for "${key}".`, {
        file,
      })
    const bytes = taken.get(id)
    if (bytes !== undefined && bytes !== Buffer.from(content, 'utf8').toString('latin1'))
      throw new ImportError(
        'bad-file',
        `${file}: "added_tokens_decoder" gives ${JSON.stringify(content)} the id ${id}, which another token of the vocabulary has.`,
        { file },
      )
    const set = (flag: string): boolean => flags[flag] === true
    return {
      id,
      content,
      single_word: set('single_word'),
      lstrip: set('lstrip'),
      rstrip: set('rstrip'),
      normalized: set('normalized'),
      special: set('special'),
    }
  })
}
