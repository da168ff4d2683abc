/**
 * What of a conversation a session has cached, by turns. Where the next pass begins is seen by server and dealer, so it
 * follows from what the user does and never from what is written: another conversation begins at 0, and an edited or
 * regenerated turn where the one before it ends, even if its text is the same.
 */
import { behindSystem, joinTurns, openingOf, type TurnFormat } from '../model/tokenizer/chat.ts'
import type { ProtectionError } from '../protections/protection.ts'
import type { Message } from './api.ts'
import type { Padding, SystemPrompt } from './chat-options.ts'

/** Tokens of the blocks that prompts are read in, where lengths are hidden: what is left is read token by token. */
export const PROMPT_BLOCK = 8
/** Passes of one token that a reply takes a multiple of, with those that read the end of its prompt. */
export const REPLY_BLOCK = 16

interface Turn extends Message {
  readonly ids: readonly number[]
  /** The latest position that a pass over what follows this turn may begin at. */
  readonly resume: number
}

export interface Prompt {
  readonly ids: readonly number[]
  /** Position of the first token that has to be read. */
  readonly base: number
  /**
   * Position of the first token that is read in a pass of its own, as the reply is: 1 to 8 of them, where lengths are
   * hidden, so that nobody can tell where the prompt ends among them and the reply begins.
   */
  readonly single: number
  /** The oldest turns, or the beginning of the text, did not fit. */
  readonly isCut: boolean
}

export class CachedTurns {
  #conversation?: string
  #system?: SystemPrompt
  #turns: Turn[] = []
  #dropped = 0
  /** Positions that are cached. */
  rows = 0
  /** From where on what is cached is noise, and why: whatever is read behind it is, too. Where a prompt begins does not change by it. */
  noise?: { readonly from: number; readonly error: ProtectionError }

  /**
   * The next reply's prompt of at most `maxTokens` tokens, with replies' ids as they were made. What is cached behind its
   * base is forgotten. Throws `RangeError` where it does not fit.
   */
  prompt(
    plain: TurnFormat,
    messages: readonly Message[],
    o: { conversation?: string; maxTokens: number; padding: Padding; system?: SystemPrompt },
  ): Prompt {
    const { system } = o
    const format = behindSystem(plain, system?.content)
    const isSameSystem = system?.id === this.#system?.id && system?.content === this.#system?.content
    const goesOnWith = o.conversation !== undefined && o.conversation === this.#conversation
    const known = goesOnWith && isSameSystem && isNamed(system) ? this.#turns : []
    // A reply that is gone on with is read again, without what had ended it.
    const isBroken = messages.at(-1)?.role === 'assistant'
    const whole = isBroken ? messages.length - 1 : messages.length
    let same = 0
    while (same < whole && isSame(messages[same], known[same])) same++
    const turns = messages.map((message, i) => {
      if (i < same) return known[i].ids
      return i < whole ? format.encode(message, i === 0) : format.begin(message)
    })
    const block = o.padding === 'none' ? 1 : PROMPT_BLOCK
    // What is left out shows, so it must follow from the length in blocks.
    const maxTokens = floor(o.maxTokens, block) || o.maxTokens
    const opening = openingOf(format, messages)
    const { ids, dropped } = joinTurns(format, turns, {
      maxTokens,
      // Half of it goes at once where it must: it is read again then, and not at each of the messages that follow.
      cutTo: floor(maxTokens / 2, block),
      dropped: same > this.#dropped ? this.#dropped : 0,
      reply: !isBroken,
      // A reply that is gone on with needs its question.
      opening: (at) => (at === whole ? undefined : opening(at)),
    })
    const goesOn = same > 0 && dropped === this.#dropped
    const last = ids.length - 1
    // Another reply to the same turns begins where the one before it did.
    const resume = same === messages.length ? last : known[same - 1]?.resume
    const base = goesOn ? floor(Math.min(resume, this.rows, last), block) : 0
    let end =
      ids.length - (isBroken ? 0 : format.reply.length) - turns.reduce((sum, turn) => sum + turn.length, 0)
    this.#turns = messages.map((message, i) => {
      end += turns[i].length
      const turn = { ...message, ids: turns[i], resume: floor(Math.max(0, end), block) }
      return goesOn && i < same ? known[i] : turn
    })
    this.#conversation = o.conversation
    this.#system = system
    this.#dropped = dropped
    this.rows = base
    if (this.noise && base <= this.noise.from) this.noise = undefined
    const single = o.padding === 'none' ? ids.length : floor(last, block)
    return { ids, base, single, isCut: dropped > 0 }
  }

  /**
   * Goes on from where another session with the same model was, with nothing read yet: turns keep the ids that they had, which
   * may be others than their texts give, and so their places.
   */
  takeOver(other: CachedTurns): void {
    this.#conversation = other.#conversation
    this.#system = other.#system
    this.#turns = [...other.#turns]
    this.#dropped = other.#dropped
    this.rows = 0
  }

  /** A reply was made; what follows it is read from `resume` on. */
  replied(format: TurnFormat, reply: { id?: string; content: string; ids: number[]; resume: number }): void {
    const { id, content, ids, resume } = reply
    const broken = this.#turns.at(-1)?.role === 'assistant' ? this.#turns.pop() : undefined
    const whole = broken ? [...broken.ids, ...format.close(ids)] : format.wrap(ids)
    this.#turns.push({ id, role: 'assistant', content, ids: whole, resume })
    this.rows = resume
  }
}

/** One without a name is read again every time: that it has stayed the same must not show. */
const isNamed = (system: SystemPrompt | undefined): boolean => system === undefined || system.id !== undefined

const isSame = (message: Message, turn: Turn | undefined): boolean =>
  turn !== undefined &&
  message.id !== undefined &&
  message.id === turn.id &&
  message.role === turn.role &&
  message.content === turn.content

const floor = (position: number, block: number): number => position - (position % block)
