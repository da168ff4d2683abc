/** Names for the turns of conversations that come without any: a request holds the whole conversation each time. */
import type { Message } from '../owner/api.ts'

type Turn = Required<Message>

/** A conversation with every turn named, and the names for it and for its reply. */
export interface Named {
  readonly conversation: string
  readonly messages: Turn[]
  readonly reply: string
}

/**
 * Knows the conversation that was answered last. A request that goes on where that one ended is read from there; any other
 * one is read from its beginning, even if both begin with the same words: where reading begins is seen by model server and
 * dealer, and may tell what a user did but not what was written.
 */
export class Turns {
  #last: Pick<Named, 'conversation' | 'messages'> = { conversation: '0', messages: [] }
  #count = 0

  /** Names every turn: those of the last conversation as before where all of it stands at the beginning, others anew. */
  name(messages: readonly Message[]): Named {
    const { conversation, messages: known } = this.#last
    const goesOn = known.length > 0 && known.length < messages.length && known.every(isAt(messages))
    return {
      conversation: goesOn ? conversation : this.#next(),
      messages: messages.map((message, i) => (goesOn && known[i]) || { ...message, id: this.#next() }),
      reply: this.#next(),
    }
  }

  /** The reply to a named conversation has come, in part at least. */
  replied({ conversation, messages, reply }: Named, content: string): void {
    this.#last = { conversation, messages: [...messages, { role: 'assistant', content, id: reply }] }
  }

  /** Nothing that was said before is cached any more. */
  forget(): void {
    this.#last = { conversation: '0', messages: [] }
  }

  #next(): string {
    return String(++this.#count)
  }
}

const isAt =
  (messages: readonly Message[]) =>
  ({ role, content }: Turn, i: number): boolean =>
    messages[i].role === role && messages[i].content === content
