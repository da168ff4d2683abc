/** The conversation on screen, and everything a person can do with it. */
import type { OwnerError } from '../../owner/api.ts'
import { Announcer } from '../announce.ts'
import { title } from '../format.ts'
import { archive } from '../history/archive.ts'
import {
  type Conversation,
  isEmpty,
  mergeConversations,
  newConversation,
  renamed,
  withTraffic,
} from '../history/conversation.ts'
import { addTraffic } from '../history/traffic.ts'
import {
  branchOf,
  choose,
  isBroken,
  newId,
  newTurn,
  rewritten,
  type Turn,
  withTurn,
} from '../history/tree.ts'
import { t } from '../language.ts'
import type { ChatState, Conversing } from './chat-state.ts'
import { drafts } from './drafts.ts'
import { engine } from './engine.ts'
import { library } from './library.ts'
import { locked } from './locks.ts'
import { goTo } from './place.ts'
import { Replying } from './replying.ts'
import { Store } from './store.ts'

/** Names this tab among those that count what the parties received. */
const tab = newId()

export class Chat extends Store<ChatState> implements Conversing {
  readonly announcer = new Announcer()
  /** Which era it is, as far as that is known. */
  era?: number
  #run?: Promise<void>
  readonly #replying = new Replying(this)

  constructor() {
    super({ conversation: newConversation(undefined), stopping: false, errors: {} })
    let before = engine.state.stats
    engine.subscribe(() => {
      const { stats } = engine.state
      if (stats && stats !== before && engine.task === 'chat') {
        const from = before
        this.change((conversation) => withTraffic(conversation, tab, (sum) => addTraffic(sum, from, stats)))
      }
      before = stats
    })
  }

  /** The turns on screen, with the reply being written. */
  get shown(): readonly Turn[] {
    const { conversation, reply } = this.state
    return reply ? branchOf(conversation, reply.after) : branchOf(conversation)
  }

  get error(): OwnerError | undefined {
    return this.state.errors[this.state.conversation.id]
  }

  async send(text: string): Promise<void> {
    const content = text.trim()
    if (!content || this.state.reply) return
    drafts.set(this.state.conversation, '')
    await this.#ask(newTurn('user', content, this.shown.at(-1)?.id))
  }

  /** Answers the last question once more: after an error, or to get another reply beside the one there is. */
  async again(): Promise<void> {
    await this.stop()
    const question = this.shown.findLast(({ role }) => role === 'user')
    if (question) await this.#answer(newTurn('assistant', '', question.id, { finish: 'unfinished' }))
  }

  /** Goes on with a reply that was broken off. */
  async goOn(): Promise<void> {
    await this.stop()
    const broken = this.shown.at(-1)
    if (broken && isBroken(broken)) await this.#answer(rewritten(broken, { finish: 'unfinished' }))
  }

  /** Asks a question in other words, beside what was asked before. */
  async edit(turn: Turn, text: string): Promise<void> {
    await this.stop()
    const content = text.trim()
    if (content) await this.#ask(newTurn('user', content, turn.after))
  }

  /** Shows another branch. */
  async choose(turn: Turn): Promise<void> {
    await this.stop()
    this.change((conversation) => choose(conversation, turn))
    await this.keep()
  }

  async stop(): Promise<void> {
    if (!this.state.reply) return
    this.set({ stopping: true })
    await this.#replying.stop()
    await this.#run
  }

  async open(conversation: Conversation, isTravel = false): Promise<void> {
    if (conversation.id === this.state.conversation.id) return
    await this.stop()
    this.set({ conversation, notice: undefined })
    goTo(this.#place, isTravel)
  }

  async begin(temporary = false, notice?: string): Promise<void> {
    this.era ??= await archive.era()
    await this.open(newConversation(this.era, temporary))
    this.set({ notice })
  }

  /** Makes the next conversation temporary or kept; an empty one simply changes. */
  async toggleTemporary(): Promise<void> {
    const { conversation } = this.state
    const temporary = !conversation.temporary
    if (isEmpty(conversation)) this.set({ conversation: { ...conversation, temporary } })
    else await this.begin(temporary)
  }

  async remove(conversation: Conversation): Promise<void> {
    if (conversation.id === this.state.conversation.id) await this.begin()
    await library.remove(conversation)
  }

  /** Changes the conversation on screen, or a kept one. */
  async amend(id: string, change: (conversation: Conversation) => Conversation): Promise<void> {
    const conversation = library.find(id)
    if (id === this.state.conversation.id) {
      this.change(change)
      await this.keep()
    } else if (conversation) await library.keep(change(conversation))
  }

  async erase(): Promise<void> {
    await this.stop()
    drafts.forget()
    await archive.erase()
    await this.erased()
  }

  /** Everything has been erased, here or in another tab. */
  async erased(): Promise<void> {
    drafts.forget()
    this.era = await archive.era()
    library.close()
    await this.begin()
    this.set({ errors: {} })
  }

  change(change: (conversation: Conversation) => Conversation): void {
    this.set({ conversation: change(this.state.conversation) })
  }

  /** Stores the conversation on screen, and takes in what other tabs have added. */
  async keep(): Promise<void> {
    const { conversation } = this.state
    const merged = await library.keep(conversation)
    if (this.state.conversation.id !== conversation.id) return
    if (merged) this.change((current) => mergeConversations(current, merged))
    else this.dropped()
  }

  /** The conversation on screen was deleted elsewhere. */
  dropped(): void {
    // Whoever stores a reply waits for it here, and it for them.
    void this.stop().then(() => this.begin(false, t('place.deleted')))
  }

  get #place(): string | undefined {
    const { conversation } = this.state
    return conversation.temporary || isEmpty(conversation) ? undefined : conversation.id
  }

  async #ask(question: Turn): Promise<void> {
    this.change((conversation) => {
      const asked = { ...withTurn(conversation, question), updated: Date.now() }
      const isFirst = question.after === undefined
      return isFirst && !asked.title.value.trim() ? renamed(asked, title(question.content)) : asked
    })
    goTo(this.#place, true)
    await this.#answer(newTurn('assistant', '', question.id, { finish: 'unfinished' }))
  }

  #answer(reply: Turn): Promise<void> {
    const { [this.state.conversation.id]: _, ...errors } = this.state.errors
    this.set({ reply, stopping: false, errors, notice: undefined })
    this.#run = locked(`sotto.reply.${reply.id}`, () => this.#replying.run())
    return this.#run
  }
}

export const chat = new Chat()
