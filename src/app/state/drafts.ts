/** What has been written and not sent, chat by chat; kept over a reload. */
import { archive } from '../history/archive.ts'
import { type Conversation, isEmpty } from '../history/conversation.ts'
import { claim } from './locks.ts'

const KEEP_AFTER_MS = 300

/** Of a chat that has not begun, and so has no name that lasts: tabs that are open at once each have a place for one. */
const UNBEGUN = 'new'

const nameOf = (conversation: Conversation): string => (isEmpty(conversation) ? UNBEGUN : conversation.id)

interface Waiting {
  text: string
  era: number | undefined
}

export class Drafts {
  /** What is to be stored soon, and what never is. */
  readonly #waiting = new Map<string, Waiting>()
  readonly #temporary = new Map<string, string>()
  #timer?: ReturnType<typeof setTimeout>
  /** Where this tab's unbegun chat is kept. */
  #place?: string
  #claiming?: Promise<number>

  constructor() {
    globalThis.addEventListener?.('pagehide', () => void this.flush())
  }

  async get(conversation: Conversation): Promise<string> {
    if (conversation.temporary) return this.#temporary.get(conversation.id) ?? ''
    const name = nameOf(conversation)
    const place = await this.#placeOf(name)
    return this.#waiting.get(name)?.text ?? archive.draft(place)
  }

  set(conversation: Conversation, text: string): void {
    if (conversation.temporary) {
      this.#temporary.set(conversation.id, text)
      return
    }
    this.#waiting.set(nameOf(conversation), { text, era: conversation.era })
    this.#timer ??= setTimeout(() => void this.flush(), KEEP_AFTER_MS)
  }

  forget(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#waiting.clear()
    this.#temporary.clear()
  }

  async flush(): Promise<void> {
    this.#timer = undefined
    await Promise.all([...this.#waiting].map(([name, draft]) => this.#keep(name, draft)))
  }

  /** A page that is being left has no further turn: nothing is waited for that is known. */
  async #keep(name: string, draft: Waiting): Promise<void> {
    const place = name === UNBEGUN ? (this.#place ?? (await this.#placeOf(name))) : name
    const isDone = await archive.keepDraft(place, draft.text, draft.era)
    if (isDone && this.#waiting.get(name) === draft) this.#waiting.delete(name)
  }

  /** The first place that no other tab has: what was left in one by a tab that was closed is found again. */
  async #placeOf(name: string): Promise<string> {
    if (name !== UNBEGUN) return name
    this.#claiming ??= claim('sotto.unbegun')
    const at = await this.#claiming
    this.#place = at === 0 ? UNBEGUN : `${UNBEGUN}.${at}`
    return this.#place
  }
}

export const drafts = new Drafts()
