/** What a model's files say of turns: the ids around messages, where its template is one of the common kinds. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import type { Manifest } from '../../src/model/files/manifest.ts'
import { readJson } from './source.ts'
import type { TokenizerJson } from './tokenizer-files.ts'

export type TextFormat = Pick<Manifest, 'chat' | 'text'> & { notes: string[] }

interface Family {
  /** A template of this kind holds all of these. */
  has: readonly string[]
  user: string
  assistant: string
  end: string
  stop: string
}

/** EOS stands for the end token of the model itself. */
const EOS = '\u0000eos'

const families: readonly Family[] = [
  { has: ['<|im_start|>', '<|im_end|>'], ...turns('<|im_start|>', '\n', '<|im_end|>\n'), stop: '<|im_end|>' },
  {
    has: ['<|start_header_id|>', '<|eot_id|>'],
    ...turns('<|start_header_id|>', '<|end_header_id|>\n\n', '<|eot_id|>'),
    stop: '<|eot_id|>',
  },
  {
    has: ["'<|' + message['role'] + '|>' + message", '<|end|>'],
    ...turns('<|', '|>', '<|end|>'),
    stop: '<|end|>',
  },
  { has: ['<|user|>', '<|end|>'], ...turns('<|', '|>\n', '<|end|>\n'), stop: '<|end|>' },
  { has: ['<|user|>', 'eos_token'], ...turns('<|', '|>\n', `${EOS}\n`), stop: EOS },
]

function turns(before: string, after: string, end: string) {
  return { user: `${before}user${after}`, assistant: `${before}assistant${after}`, end }
}

/** How to speak to a decoder: as a chat where its template is known, and else as text to continue. */
export function textFormat(dir: string, json: TokenizerJson): TextFormat {
  const tokenizer = new Tokenizer(json, {})
  const file = join(dir, 'tokenizer_config.json')
  const config = existsSync(file) ? readJson(file) : {}
  const ids = idsOfEnds(dir, tokenizer, config)
  const text = { ...(ids.bos === undefined ? {} : { bos: ids.bos }), stop: ids.stop }
  const template = templateOf(dir, config.chat_template)
  if (template === undefined)
    return { text, notes: ['There is no chat template: the model continues a text.'] }
  const family = families.find(({ has }) => has.every((mark) => template.includes(mark)))
  const eos = contentOf(config.eos_token)
  const encode = (part: string): number[] | undefined => {
    if (part.includes(EOS) && eos === undefined) return undefined
    return tokenizer.encode(part.replace(EOS, eos ?? ''), { add_special_tokens: false }).ids
  }
  const [user, assistant, end, stop] = family
    ? [family.user, family.assistant, family.end, family.stop].map(encode)
    : []
  // A mark that is no token of its own would be a model for other marks.
  if (!user || !assistant || !end || stop?.length !== 1)
    return {
      text,
      notes: ['Its chat template is of a kind that is not known here: the model continues a text.'],
    }
  const begins = /bos_token|<\|begin_of_text\|>|<\|bos\|>/.test(template) && ids.bos !== undefined
  const stops = [...new Set([stop[0], ...ids.stop])]
  const chat = {
    template,
    bos: begins ? ids.bos! : [],
    user: tidy(user),
    assistant: tidy(assistant),
    end: tidy(end),
  }
  return { chat: { ...chat, stop: stops }, notes: [] }
}

const tidy = (ids: number[]): number | number[] => (ids.length === 1 ? ids[0] : ids)

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
  const wanted =
    bos ?? (named && /llama/.test(String(model.model_type)) ? tokenizer.token_to_id(named) : undefined)
  return wanted === undefined ? { stop } : { bos: wanted, stop }
}

/** Tokens are strings, or objects that hold one. */
function contentOf(token: unknown): string | undefined {
  if (typeof token === 'string') return token
  const content = (token as { content?: unknown } | null | undefined)?.content
  return typeof content === 'string' ? content : undefined
}

/** One template, the one called "default" of several, or a file beside. */
function templateOf(dir: string, value: unknown): string | undefined {
  const file = join(dir, 'chat_template.jinja')
  if (existsSync(file)) return readFileSync(file, 'utf8')
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return undefined
  const named = value.filter((one: unknown): one is { name?: unknown; template?: unknown } => one !== null)
  const chosen = named.find(({ name }) => name === 'default') ?? named[0]
  return typeof chosen?.template === 'string' ? chosen.template : undefined
}
