/** What has been written and not sent, chat by chat; kept over a reload. */
import { archive } from '../history/archive.ts'
import { type Conversation, isEmpty } from '../history/conversation.ts'

const KEEP_AFTER_MS = 300

/** A chat that has not begun has no name that lasts. */
const nameOf = (conversation: Conversation): string => (isEmpty(conversation) ? 'new' : conversation.id)

class Drafts {
  /** What is to be stored soon, and what never is. */
  readonly #waiting = new Map<string, { text: string; era: number }>()
  readonly #temporary = new Map<string, string>()
  #timer?: ReturnType<typeof setTimeout>

  constructor() {
    globalThis.addEventListener?.('pagehide', () => void this.flush())
  }

  async get(conversation: Conversation): Promise<string> {
    if (conversation.temporary) return this.#temporary.get(conversation.id) ?? ''
    const name = nameOf(conversation)
    return this.#waiting.get(name)?.text ?? archive.draft(name)
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
    const waiting = [...this.#waiting]
    const isDone = await Promise.all(
      waiting.map(([name, { text, era }]) => archive.keepDraft(name, text, era)),
    )
    waiting.forEach(([name, draft], at) => {
      if (isDone[at] && this.#waiting.get(name) === draft) this.#waiting.delete(name)
    })
  }
}

export const drafts = new Drafts()
