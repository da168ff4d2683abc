import type { Tokenizer } from '@huggingface/tokenizers'
import type { ChatTokens, Manifest } from '../files/manifest.ts'
import { symbolsToBytes } from './byte-symbols.ts'

/** One turn of a conversation. */
export interface Message {
  role: 'user' | 'assistant'
  content: string
}

/** `<|bos|>`, then `<|role|>text<|end|>` for each turn, in Jinja for other programs. */
export const chatTemplate =
  "{{ '<|bos|>' }}{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"

/**
 * Ids of plain text. Text that spells a special token stays text:
 * nobody can end a turn, or open another's, by typing `<|end|>`.
 */
export function encodePlain(tokenizer: Tokenizer, text: string): number[] {
  const specials = [...tokenizer.get_added_tokens_decoder().values()].map((token) => token.content)
  let pieces = [text]
  for (const special of specials) pieces = pieces.flatMap((piece) => splitInside(piece, special))
  return pieces.flatMap((piece) => tokenizer.encode(piece, { add_special_tokens: false }).ids)
}

/** Cut at every occurrence of `special`, after its first character. */
function splitInside(text: string, special: string): string[] {
  const parts = text.split(special)
  return parts.map(
    (part, i) => (i > 0 ? special.slice(1) : '') + part + (i < parts.length - 1 ? special[0] : ''),
  )
}

/** How much of a conversation to keep. */
export interface EncodeChatOptions {
  /** End with the mark that makes the assistant speak (the default). */
  reply?: boolean
  /** Drop the oldest turns until the ids fit; throws if the last turn alone does not. */
  maxTokens?: number
}

const list = (ids: number | readonly number[]): readonly number[] => (typeof ids === 'number' ? [ids] : ids)

/** How a model takes turns. */
export interface TurnFormat {
  /** Before the first turn. */
  readonly start: readonly number[]
  /** Behind the last turn: makes the assistant speak. */
  readonly reply: readonly number[]
  /** The oldest turns are dropped whole where not all fit; otherwise the beginning of the text is. */
  readonly hasTurns: boolean
  /** A turn with all that surrounds it. */
  encode(message: Message, isFirst: boolean): number[]
  /** A reply of these ids as a turn, without those that ended it. */
  wrap(reply: readonly number[]): number[]
}

function chatFormat(tokenizer: Tokenizer, chat: ChatTokens): TurnFormat {
  const wrap = (role: Message['role'], ids: readonly number[]) => [
    ...list(chat[role]),
    ...ids,
    ...list(chat.end),
  ]
  return {
    start: list(chat.bos),
    reply: list(chat.assistant),
    hasTurns: true,
    encode: ({ role, content }) => {
      if (role !== 'user' && role !== 'assistant')
        throw new RangeError(`This model knows the roles user and assistant, not "${role}".`)
      return wrap(role, encodePlain(tokenizer, content))
    },
    wrap: (reply) => wrap('assistant', reply),
  }
}

/** All that was said so far: replies go on directly, and each question after the first is on a new line. */
const textFormat = (tokenizer: Tokenizer, text: Manifest['text']): TurnFormat => ({
  start: text?.bos === undefined ? [] : [text.bos],
  reply: [],
  hasTurns: false,
  encode: ({ role, content }, isFirst) =>
    encodePlain(tokenizer, role === 'user' && !isFirst ? `\n${content}` : content),
  wrap: (reply) => [...reply],
})

/** Turns for a model that chats, a text to continue for one that does not. */
export const turnFormat = (
  tokenizer: Tokenizer,
  { chat, text }: Pick<Manifest, 'chat' | 'text'>,
): TurnFormat => (chat ? chatFormat(tokenizer, chat) : textFormat(tokenizer, text))

/**
 * The ids of encoded turns one after another, and how many of the oldest were dropped: all, where a text without turns
 * lost its beginning. Throws `RangeError` where there is nothing, or the last turn alone does not fit.
 */
export function joinTurns(
  format: TurnFormat,
  turns: readonly (readonly number[])[],
  { reply = true, maxTokens = Number.POSITIVE_INFINITY }: EncodeChatOptions = {},
): { ids: number[]; dropped: number } {
  const last = reply ? format.reply : []
  if (!format.hasTurns) {
    const { start } = format
    const ids = turns.flat()
    if (start.length + ids.length === 0)
      throw new RangeError('There is nothing to continue. Write something.')
    const room = Math.max(1, maxTokens - start.length)
    return { ids: [...start, ...ids.slice(-room)], dropped: ids.length > room ? turns.length : 0 }
  }
  let length = format.start.length + last.length + turns.reduce((sum, turn) => sum + turn.length, 0)
  let dropped = 0
  while (length > maxTokens && dropped < turns.length - 1) length -= turns[dropped++].length
  if (length > maxTokens)
    throw new RangeError(`The message has ${length} tokens; the model takes ${maxTokens}. Shorten it.`)
  return { ids: [...format.start, ...turns.slice(dropped).flat(), ...last], dropped }
}

const encoded = (
  format: TurnFormat,
  messages: readonly Message[],
  options: EncodeChatOptions = {},
): number[] => {
  const turns = messages.map((message, i) => format.encode(message, i === 0))
  return joinTurns(format, turns, options).ids
}

/** The ids of a conversation, as the model was trained on it. */
export const encodeChat = (
  tokenizer: Tokenizer,
  chat: ChatTokens,
  messages: readonly Message[],
  options?: EncodeChatOptions,
): number[] => encoded(chatFormat(tokenizer, chat), messages, options)

/** The ids of a text that the model continues, for models without a chat template. */
export const encodeText = (
  tokenizer: Tokenizer,
  text: Manifest['text'],
  messages: readonly Message[],
): number[] => encoded(textFormat(tokenizer, text), messages)

/** A conversation for a model that chats, a text to continue for one that does not. */
export const encodePrompt = (
  tokenizer: Tokenizer,
  manifest: Pick<Manifest, 'chat' | 'text'>,
  messages: readonly Message[],
  options?: EncodeChatOptions,
): number[] => encoded(turnFormat(tokenizer, manifest), messages, options)

/** A reply ends at any of these ids. */
export const stopIds = ({ chat, text }: Pick<Manifest, 'chat' | 'text'>): readonly number[] =>
  chat?.stop ?? text?.stop ?? []

/**
 * Turns ids into text as they arrive. A character whose bytes are spread over several tokens comes out with its last one;
 * special tokens are left out, and ids that stand for none: embeddings are often padded.
 */
export class StreamDecoder {
  readonly #tokenizer: Tokenizer
  readonly #special: Set<number>
  readonly #bytes: boolean
  readonly #utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  /** For tokens that are text and not bytes: those since the last whole character, behind some that came before. */
  #ids: number[] = []
  #said = ''

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer
    this.#special = new Set(tokenizer.get_added_tokens_decoder().keys())
    this.#bytes = tokenizer.decoder?.config.type === 'ByteLevel'
  }

  /** The text that this id completes, perhaps none. */
  push(id: number): string {
    if (this.#special.has(id)) return ''
    const token = this.#tokenizer.id_to_token(id)
    if (token === undefined) return ''
    if (this.#bytes) return this.#utf8.decode(symbolsToBytes(token), { stream: true })
    this.#ids.push(id)
    const whole = this.#decode()
    // Byte tokens of one character decode to U+FFFD until the last of them is there.
    return whole.endsWith('\ufffd') ? '' : this.#say(whole)
  }

  /** Whatever is left: U+FFFD if the last character never became complete. */
  end(): string {
    return this.#bytes ? this.#utf8.decode() : this.#say(this.#decode())
  }

  #decode(): string {
    return this.#tokenizer.decode(this.#ids, {
      skip_special_tokens: true,
      clean_up_tokenization_spaces: false,
    })
  }

  /** How a token reads may depend on the few before it, so those stay; older ones are forgotten. */
  #say(whole: string): string {
    const text = whole.slice(this.#said.length)
    this.#said = whole
    if (this.#ids.length > 64) {
      this.#ids = this.#ids.slice(-8)
      this.#said = this.#decode()
    }
    return text
  }
}

/** The whole text of `ids`, special tokens left out. */
export function decodeText(tokenizer: Tokenizer, ids: readonly number[]): string {
  const decoder = new StreamDecoder(tokenizer)
  return ids.map((id) => decoder.push(id)).join('') + decoder.end()
}
