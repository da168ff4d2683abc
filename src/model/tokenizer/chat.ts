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

/** The ids of a conversation, as the model was trained on it. */
export function encodeChat(
  tokenizer: Tokenizer,
  chat: ChatTokens,
  messages: readonly Message[],
  { reply = true, maxTokens = Number.POSITIVE_INFINITY }: EncodeChatOptions = {},
): number[] {
  const turns = messages.map(({ role, content }) => {
    if (role !== 'user' && role !== 'assistant')
      throw new RangeError(`This model knows the roles user and assistant, not "${role}".`)
    return [...list(chat[role]), ...encodePlain(tokenizer, content), ...list(chat.end)]
  })
  const last = reply ? list(chat.assistant) : []
  let length = list(chat.bos).length + last.length + turns.reduce((sum, turn) => sum + turn.length, 0)
  while (length > maxTokens && turns.length > 1) length -= turns.shift()!.length
  if (length > maxTokens)
    throw new RangeError(`The message has ${length} tokens; the model takes ${maxTokens}. Shorten it.`)
  return [...list(chat.bos), ...turns.flat(), ...last]
}

/**
 * The ids of a text that the model continues, for models without a chat template: all that was said so far, each message
 * on a new line. Of what does not fit the beginning is dropped.
 */
export function encodeText(
  tokenizer: Tokenizer,
  text: Manifest['text'],
  messages: readonly Message[],
  maxTokens = Number.POSITIVE_INFINITY,
): number[] {
  const ids = encodePlain(tokenizer, messages.map(({ content }) => content).join('\n'))
  const bos = text?.bos === undefined ? [] : [text.bos]
  if (bos.length + ids.length === 0) throw new RangeError('There is nothing to continue. Write something.')
  return [...bos, ...ids.slice(-Math.max(1, maxTokens - bos.length))]
}

/** A conversation for a model that chats, a text to continue for one that does not. */
export const encodePrompt = (
  tokenizer: Tokenizer,
  { chat, text }: Pick<Manifest, 'chat' | 'text'>,
  messages: readonly Message[],
  options: EncodeChatOptions = {},
): number[] =>
  chat
    ? encodeChat(tokenizer, chat, messages, options)
    : encodeText(tokenizer, text, messages, options.maxTokens)

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
