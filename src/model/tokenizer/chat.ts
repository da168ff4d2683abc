import type { Tokenizer } from '@huggingface/tokenizers'
import type { ChatTokens, Manifest } from '../files/manifest.ts'
import { symbolsToBytes } from './byte-symbols.ts'
import { encodeAround, encodeBare, encodeFurther, encodePlain } from './special.ts'
import { quoted, type TurnMarks } from './turn-marks.ts'

/** One turn of a conversation. */
export interface Message {
  role: 'user' | 'assistant'
  content: string
}

/** `<|bos|>`, then `<|role|>text<|end|>` for each turn, in Jinja for other programs. */
export const chatTemplate =
  "{{ '<|bos|>' }}{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"

/** A model's own chat template fails on plain conversations, or takes long over them. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
  readonly code = 'chat-template'
  readonly advice = 'Choose another model. Whoever runs this one should import it again.'

  constructor() {
    super('The chat template of this model cannot be run.')
  }
}

/** How much of a conversation to keep. */
export interface EncodeChatOptions {
  /** The ids of turn `at` as the first one that is kept; `undefined` where it can't be that. */
  opening?: (at: number) => readonly number[] | undefined
  /** End with the mark that makes the assistant speak (the default). */
  reply?: boolean
  /** Drop the oldest turns until the ids fit; throws if the last turn alone does not. */
  maxTokens?: number
  /** Where turns have to be dropped, drop so many that no more than this is left, where that is to be had. */
  cutTo?: number
  /** Turns that are dropped already. */
  dropped?: number
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
  /** A reply so far, which is gone on with: without what ends a turn. */
  begin(reply: Message): number[]
  /** The rest of a reply that was gone on with. */
  close(rest: readonly number[]): number[]
  /** Whether a turn can be the first one that is kept, where older ones are dropped. */
  opens(message: Message): boolean
  /** A reply of these ids as a turn, without those that ended it. */
  wrap(reply: readonly number[]): number[]
  /** Turns behind a system prompt, which goes with the first turn that is kept; where the model's template takes one. */
  withSystem?(prompt: string): TurnFormat
}

/** How a model takes turns behind a system prompt; without one, or where its template takes none, as ever. */
export const behindSystem = (format: TurnFormat, prompt: string | undefined): TurnFormat =>
  (prompt === undefined ? undefined : format.withSystem?.(prompt)) ?? format

function checkRole({ role }: Message): void {
  if (role !== 'user' && role !== 'assistant')
    throw new RangeError(`This model knows the roles user and assistant, not "${role}".`)
}

function chatFormat(tokenizer: Tokenizer, chat: ChatTokens, marks: TurnMarks | undefined): TurnFormat {
  if ('tokens' in chat) {
    if (!marks) throw new TemplateError()
    return markedFormat(tokenizer, marks)
  }
  const wrap = (role: Message['role'], ids: readonly number[]) => [
    ...list(chat[role]),
    ...ids,
    ...list(chat.end),
  ]
  return {
    start: list(chat.bos),
    reply: list(chat.assistant),
    hasTurns: true,
    encode: (message) => {
      checkRole(message)
      return wrap(message.role, encodePlain(tokenizer, message.content))
    },
    begin: ({ content }) => [...list(chat.assistant), ...encodePlain(tokenizer, content)],
    close: (rest) => [...rest, ...list(chat.end)],
    opens: () => true,
    wrap: (reply) => wrap('assistant', reply),
  }
}

/** Turns as a checkpoint's template marks them: with a question go the marks on both of its sides, so a reply is bare. */
function markedFormat(tokenizer: Tokenizer, marks: TurnMarks, prompt?: string): TurnFormat {
  const opening = openingIds(tokenizer, marks)
  return {
    start: [],
    reply: opening,
    hasTurns: true,
    encode: (message, isFirst) => {
      checkRole(message)
      const { role, content } = message
      if (role === 'assistant') return encodeFurther(tokenizer, marks.lead + quoted(marks.answer, content))
      const said = quoted(marks.question, content)
      const { system } = marks
      if (!isFirst || prompt === undefined || !system)
        return encodeAround(tokenizer, [isFirst ? marks.first : marks.next, marks.reply], [said])
      const around = [system.before, system.after, marks.reply]
      return encodeAround(tokenizer, around, [quoted(system.prompt, prompt), said])
    },
    begin: ({ content }) =>
      marks.opening === ''
        ? encodeFurther(tokenizer, marks.lead + content)
        : [...opening, ...encodeFurther(tokenizer, content)],
    close: (rest) => [...rest],
    opens: ({ role }) => role === 'user',
    wrap: (reply) => [...opening, ...reply],
    ...(marks.system && { withSystem: (asked: string) => markedFormat(tokenizer, marks, asked) }),
  }
}

/** What opens a reply that is asked for. */
function openingIds(tokenizer: Tokenizer, { reply, opening }: TurnMarks): number[] {
  if (opening === '') return []
  const before = encodeBare(tokenizer, reply)
  const whole = encodeBare(tokenizer, reply + opening)
  // Where the two are not cut between tokens, what opens it stands by itself.
  return before.every((id, i) => whole[i] === id)
    ? whole.slice(before.length)
    : encodeBare(tokenizer, opening)
}

/** All that was said so far: replies go on directly, and each question after the first is on a new line. */
const textFormat = (tokenizer: Tokenizer, text: Manifest['text']): TurnFormat => ({
  start: text?.bos === undefined ? [] : [text.bos],
  reply: [],
  hasTurns: false,
  encode: ({ role, content }, isFirst) => {
    if (isFirst) return encodePlain(tokenizer, content)
    return encodeFurther(tokenizer, role === 'user' ? `\n${content}` : content)
  },
  begin: ({ content }) => encodeFurther(tokenizer, content),
  close: (rest) => [...rest],
  opens: () => true,
  wrap: (reply) => [...reply],
})

/**
 * Turns for a model that chats, a text to continue for one that does not.
 * @param marks what the model's own template puts around texts, where it has one
 * @throws TemplateError where it has one, and no marks are given
 */
export const turnFormat = (
  tokenizer: Tokenizer,
  { chat, text }: Pick<Manifest, 'chat' | 'text'>,
  marks?: TurnMarks,
): TurnFormat => (chat ? chatFormat(tokenizer, chat, marks) : textFormat(tokenizer, text))

/**
 * The ids of encoded turns one after another, and how many of the oldest were dropped: all, where a text without turns
 * lost its beginning. Throws `RangeError` where there is nothing, or the last turn alone does not fit.
 */
export function joinTurns(
  format: TurnFormat,
  turns: readonly (readonly number[])[],
  options: EncodeChatOptions = {},
): { ids: number[]; dropped: number } {
  const { reply = true, maxTokens = Number.POSITIVE_INFINITY, opening = (at) => turns[at] } = options
  const { cutTo = maxTokens, dropped: before = 0 } = options
  const last = reply ? format.reply : []
  if (!format.hasTurns) {
    const { start } = format
    const ids = turns.flat()
    if (start.length + ids.length === 0)
      throw new RangeError('There is nothing to continue. Write something.')
    const room = Math.max(1, maxTokens - start.length)
    return { ids: [...start, ...ids.slice(-room)], dropped: ids.length > room ? turns.length : 0 }
  }
  const around = format.start.length + last.length
  let longest: readonly (readonly number[])[] | undefined
  let shortest = 0
  for (let dropped = before; dropped < turns.length; dropped++) {
    const first = dropped === 0 ? turns[0] : opening(dropped)
    if (!first) continue
    const kept = [first, ...turns.slice(dropped + 1)]
    shortest = around + kept.reduce((sum, turn) => sum + turn.length, 0)
    if (shortest <= maxTokens) longest ??= kept
    // Nothing has to go that has not gone already; or enough has.
    if (shortest <= (dropped === before ? maxTokens : cutTo))
      return { ids: [...format.start, ...kept.flat(), ...last], dropped }
  }
  if (longest)
    return { ids: [...format.start, ...longest.flat(), ...last], dropped: turns.length - longest.length }
  throw new RangeError(`The message has ${shortest} tokens; the model takes ${maxTokens}. Shorten it.`)
}

/** How the oldest turn that is kept is told that it is the first. */
export const openingOf =
  (format: TurnFormat, messages: readonly Message[]) =>
  (at: number): number[] | undefined =>
    format.opens(messages[at]) ? format.encode(messages[at], true) : undefined

/** A reply ends at any of these ids. */
export const stopIds = ({ chat, text }: Pick<Manifest, 'chat' | 'text'>): readonly number[] =>
  chat?.stop ?? text?.stop ?? []

/**
 * Turns ids into text as they arrive. A character whose bytes are spread over several tokens comes out with its last one;
 * special tokens are left out, and ids that stand for none: embeddings are often padded.
 */
export class StreamDecoder {
  readonly #tokenizer: Tokenizer
  readonly #special = new Set<number>()
  /** Tokens that were added to the vocabulary and are text as they stand. */
  readonly #added = new Map<number, string>()
  readonly #bytes: boolean
  readonly #utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  /** For tokens that are text and not bytes: those since the last whole character, behind some that came before. */
  #ids: number[] = []
  #said = ''

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer
    for (const [id, { special, content }] of tokenizer.get_added_tokens_decoder())
      if (special) this.#special.add(id)
      else this.#added.set(id, content)
    this.#bytes = tokenizer.decoder?.config.type === 'ByteLevel'
  }

  /** The text that this id completes, perhaps none. */
  push(id: number): string {
    if (this.#special.has(id)) return ''
    const token = this.#tokenizer.id_to_token(id)
    if (token === undefined) return ''
    if (this.#bytes) return this.#utf8.decode(this.#bytesOf(id, token), { stream: true })
    this.#ids.push(id)
    const whole = this.#decode()
    // Byte tokens of one character decode to U+FFFD until the last of them is there.
    return whole.endsWith('\ufffd') ? '' : this.#say(whole)
  }

  /** Whatever is left: U+FFFD if the last character never became complete. */
  end(): string {
    return this.#bytes ? this.#utf8.decode() : this.#say(this.#decode())
  }

  #bytesOf(id: number, token: string): Uint8Array {
    const added = this.#added.get(id)
    return added === undefined ? symbolsToBytes(token) : new TextEncoder().encode(added)
  }

  #decode(): string {
    // A reply may end before its first token.
    if (this.#ids.length === 0) return ''
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
