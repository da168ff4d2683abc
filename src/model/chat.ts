import type { Tokenizer } from '@huggingface/tokenizers'
import { symbolsToBytes } from './byte-symbols.ts'
import type { ChatTokens } from './manifest.ts'

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

export interface EncodeChatOptions {
  /** End with the mark that makes the assistant speak (the default). */
  reply?: boolean
  /** Drop the oldest turns until the ids fit; throws if the last turn alone does not. */
  maxTokens?: number
}

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
    return [chat[role], ...encodePlain(tokenizer, content), chat.end]
  })
  const fixed = reply ? 2 : 1
  let length = fixed + turns.reduce((sum, turn) => sum + turn.length, 0)
  while (length > maxTokens && turns.length > 1) length -= turns.shift()!.length
  if (length > maxTokens)
    throw new RangeError(`The message has ${length} tokens; the model takes ${maxTokens}. Shorten it.`)
  return [chat.bos, ...turns.flat(), ...(reply ? [chat.assistant] : [])]
}

/**
 * Turns ids into text as they arrive. A character whose bytes are spread over several tokens
 * comes out with its last one; special tokens are left out.
 */
export class StreamDecoder {
  readonly #tokenizer: Tokenizer
  readonly #special: Set<number>
  readonly #utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer
    this.#special = new Set(tokenizer.get_added_tokens_decoder().keys())
  }

  /** The text that this id completes, perhaps none. */
  push(id: number): string {
    if (this.#special.has(id)) return ''
    const token = this.#tokenizer.id_to_token(id)
    if (token === undefined) throw new RangeError(`Token id ${id} is not in the vocabulary.`)
    return this.#utf8.decode(symbolsToBytes(token), { stream: true })
  }

  /** Whatever is left: U+FFFD if the last character never became complete. */
  end(): string {
    return this.#utf8.decode()
  }
}

/** The whole text of `ids`, special tokens left out. */
export function decodeText(tokenizer: Tokenizer, ids: readonly number[]): string {
  const decoder = new StreamDecoder(tokenizer)
  return ids.map((id) => decoder.push(id)).join('') + decoder.end()
}
