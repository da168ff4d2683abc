/** One reply, from the question to its last word; what is there of it is kept as it comes. */
import { OwnerError, type OwnerEvent } from '../../owner/api.ts'
import type { ChatResult } from '../../owner/chat-options.ts'
import { systemOf, withWire } from '../history/conversation.ts'
import { branchOf, rewritten, type Turn, withTurn } from '../history/tree.ts'
import { modelName } from '../names.ts'
import type { Conversing } from './chat-state.ts'
import { engine } from './engine.ts'
import { rememberPace } from './pace.ts'
import { describeTrouble, isForgotten, whoIsAway } from './reachability.ts'
import { settings } from './settings.ts'

/** A reply that hasn't moved for this long is asked after. */
const STALL_MS = 2000
/** How often a reply is stored while it is written. */
const KEEP_MS = 1000

export class Replying {
  readonly #chat: Conversing
  /** Ends the wait for a session, if that is what the reply is waiting for. */
  #cancel?: () => void
  #stall?: ReturnType<typeof setTimeout>
  #keptAt = 0
  /** Which conversation it belongs to. */
  #conversation = ''

  constructor(chat: Conversing) {
    this.#chat = chat
  }

  async stop(): Promise<void> {
    this.#cancel?.()
    // While a session is still being opened there is nothing to cancel at the parties.
    if (engine.state.phase === 'open') await engine.stop().catch(() => undefined)
  }

  async run(): Promise<void> {
    const chat = this.#chat
    const started = performance.now()
    const begun = this.#reply
    this.#conversation = chat.state.conversation.id
    try {
      await chat.keep()
      // Another tab has gone on with it while this one waited: two writings of one turn would not both stay.
      if ((chat.state.conversation.turns[begun.id]?.rev ?? -1) >= begun.rev) return
      const result = await this.#retried(begun)
      const seconds = (begun.seconds ?? 0) + (performance.now() - started) / 1000
      if (result) this.#finish(begun, result, seconds)
      else this.#put({ finish: 'cancelled' })
    } catch (reason) {
      this.#put({ finish: 'unfinished' })
      const { errors, conversation } = chat.state
      chat.set({ errors: { ...errors, [conversation.id]: await describeTrouble(OwnerError.from(reason)) } })
    } finally {
      clearTimeout(this.#stall)
      chat.announcer.flush()
      chat.set({ reply: undefined, stopping: false, stalled: undefined })
      await chat.keep()
      engine.prepare()
    }
  }

  get #reply(): Turn {
    const { reply } = this.#chat.state
    if (!reply) throw new Error('No reply is being written.')
    return reply
  }

  /** Where the session was lost before the first word, another one is asked, once, and nobody is bothered. */
  async #retried(begun: Turn): Promise<ChatResult | undefined> {
    try {
      return await this.#once()
    } catch (error) {
      const isHeard = this.#reply.content !== begun.content
      if (isHeard || this.#chat.state.stopping || !isForgotten(error)) throw error
      return this.#once()
    }
  }

  /** Nothing where it was stopped before it began. */
  async #once(): Promise<ChatResult | undefined> {
    const chat = this.#chat
    const cancelled = new Promise<void>((resolve) => {
      this.#cancel = resolve
    })
    this.#watch()
    await Promise.race([engine.ready(), cancelled])
    if (chat.state.stopping) return undefined
    const { conversation } = chat.state
    const { id, after, content } = this.#reply
    const { temperature, topP, maxTokens, padding } = settings.state
    const asked = [...branchOf(conversation, after), ...(content ? [this.#reply] : [])]
    const messages = asked.map(({ id, role, content }) => ({ id, role, content }))
    const system = systemOf(conversation)
    const named = { conversation: conversation.id, reply: id }
    const options = { temperature, topP, maxTokens, padding, system, ...named }
    const result = await Promise.race([engine.chat(messages, options, this.#onEvent), this.#left(cancelled)])
    this.#noteWire()
    return result
  }

  /** A person who stops does not wait for parties that are gone: the session is given up instead. */
  async #left(cancelled: Promise<void>): Promise<undefined> {
    await cancelled
    await new Promise((resolve) => setTimeout(resolve, STALL_MS))
    if (this.#chat.state.stalled) engine.giveUp()
    else await new Promise(() => undefined)
    return undefined
  }

  readonly #onEvent = (event: OwnerEvent): void => {
    const chat = this.#chat
    if (event.type !== 'token' && event.type !== 'progress') return
    this.#watch()
    if (event.type !== 'token' || !chat.state.reply) return
    this.#noteWire()
    chat.set({ reply: { ...this.#reply, content: this.#reply.content + event.text } })
    chat.announcer.add(event.text)
    const now = performance.now()
    if (now - this.#keptAt < KEEP_MS) return
    this.#keptAt = now
    this.#put({})
    void chat.keep()
  }

  #finish(begun: Turn, { text, ids, finish, padded, exposed: added }: ChatResult, seconds: number): void {
    const content = begun.content + text
    const tokens = (begun.tokens ?? 0) + ids.length
    const { model } = engine.state
    if (model && tokens) rememberPace(model, tokens + (padded ?? 0), seconds)
    const exposed = added === undefined ? undefined : (begun.exposed ?? '') + added
    this.#put({
      content,
      finish,
      tokens,
      padded,
      exposed,
      seconds,
      at: Date.now(),
      model: model && modelName(model),
    })
  }

  /** Takes what there is of the reply into the conversation; a reply without a word is none. */
  #put(changes: Partial<Turn>): void {
    const reply = rewritten(this.#reply, changes)
    const { content, finish = 'unfinished' } = reply
    // Locked or erased meanwhile: another conversation has no place for it.
    if (this.#chat.state.conversation.id !== this.#conversation) return
    if (!content && (finish === 'unfinished' || finish === 'cancelled')) return
    this.#chat.set({ reply })
    this.#chat.change((conversation) => ({ ...withTurn(conversation, reply), updated: Date.now() }))
  }

  #noteWire(): void {
    const { after } = this.#reply
    const sample = engine.state.stats?.serverSample ?? []
    if (after) this.#chat.change((conversation) => withWire(conversation, after, sample))
  }

  /** Says who is away where nothing comes. */
  #watch(): void {
    clearTimeout(this.#stall)
    if (this.#chat.state.stalled) this.#chat.set({ stalled: undefined })
    this.#stall = setTimeout(async () => {
      const away = await whoIsAway()
      const { reply, stopping } = this.#chat.state
      if (reply && !stopping && away) this.#chat.set({ stalled: away.text })
      this.#stall = setTimeout(() => this.#watch(), STALL_MS)
    }, STALL_MS)
  }
}
