/** The conversation on screen, and everything a person can do with it. */
import { OwnerError, type OwnerEvent } from '../../owner/api.ts'
import { Announcer } from '../announce.ts'
import { title } from '../format.ts'
import {
  addTraffic,
  type Conversation,
  newConversation,
  newId,
  newTurn,
  openHere,
  type Turn,
  withWire,
} from './conversations.ts'
import { engine } from './engine.ts'
import { library } from './library.ts'
import { settings } from './settings.ts'
import { unfrozen } from './storage.ts'
import { Store } from './store.ts'

export interface ChatState {
  conversation: Conversation
  /** The reply being written, if one is. */
  draft?: string
  stopping: boolean
  /** Whether the reply has not moved for a while. */
  stalled: boolean
  /** Why the last question has no answer. */
  error?: OwnerError
}

/** A reply that hasn't moved for this long is worth a word. */
const stallAfter = 5000

export class Chat extends Store<ChatState> {
  readonly announcer = new Announcer()
  #run?: Promise<void>
  /** Ends the wait for a session, if that is what the reply is waiting for. */
  #cancel?: () => void

  constructor() {
    super({ conversation: newConversation(), stopping: false, stalled: false })
    let before = engine.state.stats
    engine.subscribe(() => {
      const { stats } = engine.state
      if (stats && stats !== before && engine.task === 'chat')
        this.#patch({ traffic: addTraffic(this.#current.traffic, before, stats) })
      before = stats
    })
  }

  /** Brings back what this browser has kept. */
  async restore(): Promise<void> {
    await library.refresh()
    const open = openHere.get()
    const conversation = library.state.kept.find(({ id }) => id === open)
    if (conversation) this.set({ conversation })
  }

  async send(text: string): Promise<void> {
    const content = text.trim()
    if (!content || this.state.draft !== undefined) return
    this.#append(newTurn('user', content))
    if (!this.#current.title) this.#patch({ title: title(content) })
    await this.#answer()
  }

  /** Answers the last question again: after an error, or to get another reply. */
  async regenerate(): Promise<void> {
    await this.stop()
    const { turns } = this.#current
    if (turns.at(-1)?.role === 'assistant') this.#patch({ turns: turns.slice(0, -1) })
    if (this.#current.turns.length > 0) await this.#answer()
  }

  /** Rewrites a question and answers it; what came after it is dropped. */
  async edit(id: string, text: string): Promise<void> {
    await this.stop()
    const { turns } = this.#current
    const at = turns.findIndex((turn) => turn.id === id)
    const content = text.trim()
    if (at < 0 || !content) return
    this.#patch({ turns: turns.slice(0, at), ...(at === 0 ? { title: title(content) } : {}) })
    this.#append(newTurn('user', content))
    await this.#answer()
  }

  async stop(): Promise<void> {
    if (this.state.draft === undefined) return
    this.set({ stopping: true })
    this.#cancel?.()
    // While a session is still being opened there is nothing to cancel at the parties.
    if (engine.state.phase === 'open') await engine.stop().catch(() => undefined)
    await this.#run
  }

  async open(conversation: Conversation): Promise<void> {
    await this.stop()
    this.set({ conversation, error: undefined })
    openHere.set(conversation.id)
  }

  async begin(temporary = false): Promise<void> {
    await this.open(newConversation(temporary))
  }

  /** Makes the next conversation temporary or kept; an empty one simply changes. */
  async toggleTemporary(): Promise<void> {
    const temporary = !this.#current.temporary
    if (this.#current.turns.length === 0) this.#patch({ temporary })
    else await this.begin(temporary)
  }

  async remove(conversation: Conversation): Promise<void> {
    if (conversation.id === this.#current.id) await this.begin()
    await library.remove(conversation)
  }

  async wipe(): Promise<void> {
    await this.begin()
    await library.wipe()
  }

  get #current(): Conversation {
    return this.state.conversation
  }

  #patch(patch: Partial<Conversation>): void {
    this.set({ conversation: { ...this.#current, ...patch } })
  }

  #append(turn: Turn): void {
    this.#patch({ turns: [...this.#current.turns, turn], updated: Date.now() })
  }

  async #keep(): Promise<void> {
    openHere.set(this.#current.id)
    // Private browsing may forbid storage; the conversation then simply lasts as long as the tab.
    await library.keep(this.#current).catch(() => undefined)
  }

  #answer(): Promise<void> {
    this.set({ draft: '', stopping: false, error: undefined })
    const lock = `sotto.reply.${this.#current.id}.${crypto.getRandomValues(new Uint32Array(1))[0]}`
    this.#run = unfrozen(lock, () => this.#reply())
    return this.#run
  }

  async #reply(): Promise<void> {
    const started = performance.now()
    let tokens = 0
    let stall: ReturnType<typeof setTimeout> | undefined
    const watchStall = () => {
      clearTimeout(stall)
      stall = setTimeout(() => this.set({ stalled: true }), stallAfter)
    }
    try {
      await this.#keep()
      const cancelled = new Promise<void>((resolve) => {
        this.#cancel = resolve
      })
      await Promise.race([engine.ready(), cancelled])
      if (this.state.stopping) return
      const onEvent = (event: OwnerEvent) => {
        if (event.type !== 'token') return
        if (tokens++ === 0) this.#noteWire()
        watchStall()
        this.set({ stalled: false, draft: (this.state.draft ?? '') + event.text })
        this.announcer.add(event.text)
      }
      const { temperature, topP, maxTokens, padding } = settings.state
      const { id: conversation, turns } = this.#current
      const messages = turns.map(({ id, role, content }) => ({ id, role, content }))
      const reply = newId()
      const options = { temperature, topP, maxTokens, padding, conversation, reply }
      const { text, ids, finish, padded } = await engine.chat(messages, options, onEvent)
      this.#noteWire()
      if (text || finish !== 'cancelled') {
        const seconds = (performance.now() - started) / 1000
        this.#append(newTurn('assistant', text, { id: reply, finish, tokens: ids.length, padded, seconds }))
      }
    } catch (reason) {
      this.set({ error: OwnerError.from(reason) })
    } finally {
      clearTimeout(stall)
      this.announcer.flush()
      this.set({ draft: undefined, stopping: false, stalled: false })
      await this.#keep()
      engine.prepare()
    }
  }

  #noteWire(): void {
    const { turns } = this.#current
    const noted = withWire(turns, engine.state.stats?.serverSample ?? [])
    if (noted !== turns) this.#patch({ turns: noted })
  }
}

export const chat = new Chat()
