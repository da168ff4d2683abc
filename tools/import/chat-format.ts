/** What a model's files say of turns: its own chat template, where it can be run. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import type { Manifest } from '../../src/model/files/manifest.ts'
import { turnMarks } from '../../src/model/tokenizer/template.ts'
import { readJson } from './source.ts'
import type { TokenizerJson } from './tokenizer-json.ts'

export type TextFormat = Pick<Manifest, 'chat' | 'text'> & { notes: string[] }

/** How to speak to a decoder: as a chat where its template can be run, and else as text to continue. */
export function textFormat(dir: string, json: TokenizerJson): TextFormat {
  const tokenizer = new Tokenizer(json, {})
  const file = join(dir, 'tokenizer_config.json')
  const config = existsSync(file) ? readJson(file) : {}
  const ids = idsOfEnds(dir, tokenizer, config)
  const text = { ...(ids.bos === undefined ? {} : { bos: ids.bos }), stop: ids.stop }
  const template = templateOf(dir, config.chat_template)
  if (template === undefined) {
    const notes = ['There is no chat template: the model continues a text.']
    if (config.add_eos_token === true)
      notes.push('"add_eos_token" is left out: behind a text that is to go on, the token would end it.')
    return { text, notes }
  }
  const tokens = namedTokens(config)
  const marks = turnMarks(template, tokens)
  if (!marks)
    return {
      text,
      notes: ['Its chat template cannot be run on questions and replies: the model continues a text.'],
    }
  // A reply ends where the template ends it, even if nobody says so elsewhere.
  const [after] = tokenizer.encode(marks.next, { add_special_tokens: false }).ids
  const special = after !== undefined && tokenizer.get_added_tokens_decoder().get(after)?.special
  const stop = [...new Set([...(special ? [after] : []), ...ids.stop])]
  const notes = stop.length === 0 ? ['Nothing says which token ends a reply: each goes on to its limit.'] : []
  return { chat: { template, tokens, stop }, notes }
}

/** What templates call by a name: `bos_token` and the like. */
export function namedTokens(config: Record<string, unknown>): Record<string, string> {
  const named = Object.entries(config).flatMap(([name, token]): [string, string][] => {
    const content = /^[a-z]+_token$/.test(name) ? contentOf(token) : undefined
    return content === undefined ? [] : [[name, content]]
  })
  return Object.fromEntries(named)
}

/** Ids of the tokens that begin and end a text. */
function idsOfEnds(
  dir: string,
  tokenizer: Tokenizer,
  config: Record<string, unknown>,
): { bos?: number; stop: number[] } {
  const file = join(dir, 'generation_config.json')
  const generation = existsSync(file) ? readJson(file) : {}
  const model = readJson(join(dir, 'config.json'))
  const eos = [contentOf(config.eos_token)].flatMap((token) =>
    token ? (tokenizer.token_to_id(token) ?? []) : [],
  )
  const more = [generation.eos_token_id, model.eos_token_id].flat()
  const isId = (id: unknown): id is number =>
    Number.isInteger(id) && tokenizer.id_to_token(id as number) !== undefined
  const stop = [...new Set([...eos, ...more.filter(isId)])]
  // What the tokenizer itself puts before a text, if that is one token.
  const bare = tokenizer.encode('a', { add_special_tokens: false }).ids
  const whole = tokenizer.encode('a').ids
  const bos = whole.length > bare.length && whole[1] === bare[0] ? whole[0] : undefined
  const named = contentOf(config.bos_token)
  // What tokenizer_config.json says prevails, as in Transformers.
  const asks = config.add_bos_token ?? (bos !== undefined || /llama/.test(String(model.model_type)))
  const wanted = asks ? (bos ?? (named && tokenizer.token_to_id(named))) : undefined
  return typeof wanted === 'number' ? { bos: wanted, stop } : { stop }
}

/** Tokens are strings, or objects that hold one. */
export function contentOf(token: unknown): string | undefined {
  if (typeof token === 'string') return token
  const content = (token as { content?: unknown } | null | undefined)?.content
  return typeof content === 'string' ? content : undefined
}

/** One template, the one called "default" of several, or a file beside. */
export function templateOf(dir: string, value: unknown): string | undefined {
  const file = join(dir, 'chat_template.jinja')
  if (existsSync(file)) return readFileSync(file, 'utf8')
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return undefined
  const named = value.filter((one: unknown): one is { name?: unknown; template?: unknown } => one !== null)
  const chosen = named.find(({ name }) => name === 'default') ?? named[0]
  return typeof chosen?.template === 'string' ? chosen.template : undefined
}
