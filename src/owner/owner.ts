/** The data owner's engine: everything between texts in clear and masked words on the wire. */

import { Cancelled, isNoise } from '../protections/protection.ts'
import type {
  Answer,
  Classification,
  ClassifyInput,
  Embedding,
  Measured,
  Message,
  ModelListing,
  OnEvent,
  OpenOptions,
  OwnerApi,
  PageConfig,
  SessionInfo,
  Unanswered,
} from './api.ts'
import { isUnanswered, OwnerError } from './api.ts'
import type { ChatOptions, ChatResult, MeasureOptions } from './chat-options.ts'
import { type Begun, chat, measure, type Running } from './chatting.ts'
import { listModels, type Offers, type Open, offersOf, openModel, progress } from './connect.ts'
import { embed, givenUp } from './embedding.ts'
import type { Platform } from './platform.ts'
import { isPutOff, isReplaced, openNext } from './reconnecting.ts'
import { statsOf } from './stats.ts'

/** So often may a party be replaced during one request. */
const MAX_REPLACED = 4

/** A reply that was stopped before there was a session to ask. */
const unsaid: ChatResult = {
  text: '',
  ids: [],
  finish: 'cancelled',
  padded: 0,
  promptTokens: 0,
  isCut: false,
}

/**
 * The engine itself, in this thread: one session at a time, and in it one request at a time (`busy`). Texts, seeds
 * and shares stay here.
 */
export class Owner implements OwnerApi {
  #config: PageConfig
  readonly #platform: Platform
  readonly #offers: Offers
  #open?: Open
  /** A session that a party has left to be replaced, while nothing was asked of it. */
  #left?: { readonly open: Open; readonly reason: unknown }
  #options?: OpenOptions
  #onEvent: OnEvent = () => undefined
  #abort?: AbortController
  #seconds = 0

  /** @param choices protections other than the registry's, models from elsewhere than the configured server */
  constructor(config: PageConfig, platform: Platform, choices: Partial<Offers> = {}) {
    this.#config = config
    this.#platform = platform
    this.#offers = offersOf(config, platform, choices)
  }

  models(): Promise<ModelListing[]> {
    return listModels(this.#offers, this.#config)
  }

  async giveKey(id: string, file: string): Promise<void> {
    const settings = this.#config.protections?.[id]
    const taken = await this.#offers.protections.find((one) => one.id === id)?.withKey?.(settings, file)
    if (taken === undefined) throw new OwnerError('unknown-protection', 'No key is asked for here.')
    this.#config = { ...this.#config, protections: { ...this.#config.protections, [id]: taken } }
  }

  async open(options: OpenOptions, onEvent: OnEvent): Promise<SessionInfo> {
    await this.close()
    this.#onEvent = onEvent
    this.#options = options
    this.#open = await this.#connect(options).catch((error: unknown) => {
      if (!isPutOff(error)) throw error
      return this.#connectNext(options, error)
    })
    this.#watch(this.#open)
    this.#onEvent(progress('connect', 3, 3, 'Connected'))
    this.#stats()
    return this.#open.info
  }

  async prepare(): Promise<void> {
    await this.#current().connection.prepare(() => this.#stats())
  }

  async measure(message: Message, options: MeasureOptions): Promise<Measured> {
    return measure(this.#current(), message, options)
  }

  chat(messages: Message[], options: ChatOptions): Promise<ChatResult> {
    let begun: Begun = { rows: 0 }
    let model: string | undefined
    return this.#run(
      (open, run) => {
        const { hash } = open.info.model
        // Places and tokens of one model say nothing to another.
        if (hash !== model) begun = { rows: 0 }
        model = hash
        return chat(open, messages, options, run, begun)
      },
      { stopped: () => begun.result?.() ?? unsaid, mayBeginAnew: true },
    )
  }

  async classify(inputs: ClassifyInput[]): Promise<Classification[]> {
    return (await this.classifyEach(inputs)).map((answer) => answered(answer))
  }

  classifyEach(inputs: ClassifyInput[]): Promise<Answer[]> {
    const answers: Answer[] = []
    // Who chats does without its script.
    return this.#run(
      async (open, run) => {
        const { classify } = await import('./classifying.ts')
        return classify(open, inputs, run, answers)
      },
      { stopped: () => answers, mayBeginAnew: false },
    )
  }

  async embed(texts: string[]): Promise<Embedding[]> {
    return (await this.embedEach(texts)).map((answer) => answered(answer))
  }

  embedEach(texts: string[]): Promise<(Embedding | Unanswered)[]> {
    return this.#run((open, run) => embed(open, texts, run), {
      stopped: () => {
        throw givenUp()
      },
      mayBeginAnew: false,
    })
  }

  async stop(): Promise<void> {
    this.#abort?.abort()
  }

  async close(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    this.#left = undefined
    await open?.connection.close()
  }

  /** Totals for the terminal and for benches. */
  totals() {
    const { hops, dealer, tokens, server, audits } = this.#current().connection.counts()
    return {
      hops,
      rows: tokens,
      dealerBytes: dealer?.toServerBytes ?? 0,
      upBytes: server.sentBytes,
      downBytes: server.receivedBytes,
      audits,
    }
  }

  #connect(options: OpenOptions): Promise<Open> {
    return openModel(this.#config, this.#platform, options, this.#onEvent, this.#offers)
  }

  /** Tells of a session that ends while nothing is asked of it: a request hears of its own end. */
  #watch(open: Open): void {
    open.connection.onEnd?.((reason) => {
      if (this.#open !== open || this.#abort) return
      void this.close()
      // Whoever is replaced says so: the next request goes to its successor.
      if (isPutOff(reason)) this.#left = { open, reason }
      this.#onEvent({ type: 'lost', error: OwnerError.from(reason).toData() })
    })
  }

  /** While a party is replaced. */
  #connectNext(options: OpenOptions, why: unknown, signal?: AbortSignal): Promise<Open> {
    const text = isPutOff(why) ? 'The other side asks to wait a moment' : 'Looking for the other side again'
    this.#onEvent(progress('connect', 0, 3, text))
    return openNext(() => this.#connect(options), why, signal)
  }

  #current(): Open {
    if (!this.#open) throw new OwnerError('expired', 'There is no session.', 'Connect again.')
    return this.#open
  }

  /**
   * Runs one request at a time, which `stop` can cancel; with the next session where a party is replaced under it.
   * @param stopped what there is of it where it is stopped meanwhile
   * @param mayBeginAnew with another model than before, where nothing was heard of it: what a caller puts together of several
   *   requests is of one model
   */
  async #run<T>(
    work: (open: Open, run: Running) => Promise<T>,
    { stopped, mayBeginAnew }: { stopped: () => T; mayBeginAnew: boolean },
  ): Promise<T> {
    const left = this.#left
    const open = left?.open ?? this.#current()
    if (this.#abort) throw new OwnerError('busy', 'A request is under way already.', 'Stop it first.')
    const abort = new AbortController()
    this.#abort = abort
    let isHeard = false
    let lost: typeof left
    const run: Running = {
      signal: abort.signal,
      onEvent: (event) => {
        isHeard ||= event.type === 'token' || event.type === 'classified' || event.type === 'unanswered'
        this.#onEvent(event)
      },
      passed: (seconds) => {
        this.#seconds = seconds
        this.#stats()
      },
    }
    try {
      for (let current = open, more = MAX_REPLACED; ; more--) {
        try {
          if (current === left?.open) throw left.reason
          return await work(current, run)
        } catch (error) {
          if (!isReplaced(error) || more === 0 || !this.#options) throw error
          await this.close()
          lost = { open: current, reason: error }
          const next = await this.#connectNext(this.#options, error, abort.signal)
          this.#open = next
          this.#watch(next)
          // What somebody has read already goes on with the model that it began with, or not at all.
          const isSame = next.info.model.hash === current.info.model.hash
          if ((isHeard || !mayBeginAnew) && !isSame) throw error
          if (isSame) next.cached.takeOver(current.cached)
          current = next
        }
      }
    } catch (error) {
      if (error instanceof Cancelled) {
        // Nobody was there yet: the next request looks for them again.
        if (!this.#open) this.#left = lost
        return stopped()
      }
      // Whatever went wrong in a pass, shares may be out of step: the next request starts a new session.
      if (!(error instanceof OwnerError || isNoise(error))) await this.close()
      throw error
    } finally {
      this.#abort = undefined
      if (this.#open) {
        await this.#open.connection.abandon().catch(() => undefined)
        this.#stats()
      }
    }
  }

  #stats(): void {
    const open = this.#open
    if (!open) return
    this.#onEvent({ type: 'stats', stats: statsOf(open.connection.counts(), this.#seconds) })
  }
}

/** Throws what a text without an answer has in its place. */
function answered<T extends Classification | Embedding>(answer: T | Unanswered): T {
  if (isUnanswered(answer)) throw new OwnerError(answer.error.code, answer.error.message, answer.error.advice)
  return answer
}
