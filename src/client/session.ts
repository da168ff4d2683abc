/** One model's session, for requests that wait for each other. */
import { type OnEvent, type OpenOptions, type OwnerApi, OwnerError } from '../owner/api.ts'
import type { Stats } from '../owner/session-stats.ts'
import { Turns } from './turns.ts'
import { costBetween, type Usage } from './usage.ts'

/** What is wrong with a request alone: the session goes on. A new one would tell both parties of it. */
const harmless = new Set(['busy', 'empty', 'wrong-task', 'context', 'cancelled', 'out-of-range'])

/** A session that ended while nobody used it: a new one is opened, once, for a request that nothing was heard of yet. */
const ended = new Set(['expired', 'closed', 'lost', 'timeout', 'unknown-link', 'dealer-lost', 'restarting'])

export interface Done<T> {
  readonly result: T
  readonly cost: Pick<Usage, 'hops' | 'bytes'>
}

export class Session {
  /** Of the conversation that the session has cached. */
  readonly turns = new Turns()
  readonly #owner: OwnerApi
  readonly #options: OpenOptions
  readonly #onOpen: () => void
  #isOpen = false
  /** Requests that wait or run. */
  #requests = 0
  #stats?: Stats
  #listener: OnEvent = () => undefined
  #turn: Promise<unknown> = Promise.resolve()

  /** @param onOpen hears that it has been opened */
  constructor(owner: OwnerApi, options: OpenOptions, onOpen: () => void) {
    this.#owner = owner
    this.#options = options
    this.#onOpen = onOpen
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Nobody waits for it. */
  get isIdle(): boolean {
    return this.#requests === 0
  }

  /**
   * Runs `work` when all before it are done, in a session that is opened if there is none, and tells what it cost.
   * `onEvent` hears what the engine tells meanwhile. Rejects with `signal`'s reason at once when it is aborted, stopping
   * the engine; otherwise with `OwnerError`.
   */
  use<T>(
    work: (owner: OwnerApi) => Promise<T>,
    signal: AbortSignal | undefined,
    onEvent: OnEvent = () => undefined,
  ): Promise<Done<T>> {
    this.#requests++
    // Nobody's request, while it waits for its turn, holds what it was to say.
    let asked: { work: typeof work; onEvent: OnEvent } | undefined = { work, onEvent }
    const drop = () => {
      asked = undefined
    }
    signal?.addEventListener('abort', drop)
    const turn = this.#turn.then(async () => {
      signal?.removeEventListener('abort', drop)
      const request = asked
      drop()
      signal?.throwIfAborted()
      if (!request) throw new OwnerError('cancelled', 'The request was given up.')
      const stop = () => void this.#owner.stop().catch(() => undefined)
      signal?.addEventListener('abort', stop)
      try {
        return await this.#run(request.work, signal, request.onEvent)
      } finally {
        signal?.removeEventListener('abort', stop)
        this.#listener = () => undefined
      }
    })
    this.#turn = turn
      .catch(() => undefined)
      .then(() => {
        this.#requests--
      })
    return orAborted(turn, signal)
  }

  /** Ends the session behind the requests that were made. */
  async end(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#owner.close())
    await this.#turn
  }

  async #run<T>(
    work: (owner: OwnerApi) => Promise<T>,
    signal: AbortSignal | undefined,
    onEvent: OnEvent,
  ): Promise<Done<T>> {
    let isHeard = false
    this.#listener = (event) => {
      isHeard ||= event.type === 'token' || event.type === 'classified' || event.type === 'unanswered'
      onEvent(event)
    }
    const wasOpen = this.#isOpen
    try {
      return await this.#attempt(work, signal)
    } catch (reason) {
      const error = OwnerError.from(reason)
      if (!wasOpen || isHeard || !ended.has(error.code)) throw error
      return await this.#attempt(work, signal).catch((again: unknown) => {
        throw OwnerError.from(again)
      })
    }
  }

  async #attempt<T>(
    work: (owner: OwnerApi) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<Done<T>> {
    try {
      await this.#open()
      signal?.throwIfAborted()
      const before = this.#stats
      const result = await work(this.#owner)
      return { result, cost: costBetween(before, this.#stats) }
    } catch (reason) {
      if (!harmless.has(OwnerError.from(reason).code) && !signal?.aborted) this.#isOpen = false
      throw reason
    }
  }

  async #open(): Promise<void> {
    if (this.#isOpen) return
    this.turns.forget()
    await this.#owner.open(this.#options, (event) => {
      if (event.type === 'stats') this.#stats = event.stats
      this.#listener(event)
    })
    this.#isOpen = true
    this.#onOpen()
  }
}

/** What a promise comes to, unless `signal` is aborted first. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  let abort = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
  })
  // Whatever comes after the abort has nobody left to hear it.
  promise.catch(() => undefined)
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
