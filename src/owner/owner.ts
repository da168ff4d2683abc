/** The data owner's engine: everything between texts in clear and masked words on the wire. */
import { fetchListings } from '../handshake/listing.ts'
import type {
  ChatOptions,
  ChatResult,
  Classification,
  ClassifyInput,
  Message,
  ModelListing,
  OpenOptions,
  OwnerApi,
  OwnerEvent,
  OwnerHost,
  PageConfig,
  SessionInfo,
} from './api.ts'
import { OwnerError } from './api.ts'
import { chat, type Running } from './chatting.ts'
import { classify } from './classifying.ts'
import { type Open, openModel, progress } from './connect.ts'
import { browserPlatform, type Platform } from './platform.ts'
import { statsOf } from './stats.ts'

/** Rows of input-independent work kept ready, and how many are made at a time. */
const READY_ROWS = 32
const READY_BATCH = 8

export class Owner implements OwnerApi {
  readonly #config: PageConfig
  readonly #platform: Platform
  #open?: Open
  #event: (event: OwnerEvent) => void = () => undefined
  #abort?: AbortController
  #seconds = 0

  constructor(config: PageConfig, host: OwnerHost, platform: Platform = browserPlatform(host)) {
    this.#config = config
    this.#platform = platform
  }

  async models(): Promise<ModelListing[]> {
    return (await fetchListings(this.#config.server, this.#platform.connect.fetch)).models
  }

  async open(options: OpenOptions, onEvent: (event: OwnerEvent) => void): Promise<SessionInfo> {
    await this.close()
    this.#event = onEvent
    this.#open = await openModel(this.#config, this.#platform, options, (event) => this.#event(event))
    this.#event(progress('connect', 3, 3, 'Connected'))
    this.#stats()
    return this.#open.info
  }

  async prepare(): Promise<void> {
    const { session } = this.#current()
    await session.pool.fill(READY_ROWS, READY_BATCH, () => this.#stats())
  }

  chat(messages: Message[], options: ChatOptions): Promise<ChatResult> {
    return this.#run((open, run) => chat(open, messages, options, run))
  }

  classify(inputs: ClassifyInput[]): Promise<Classification[]> {
    return this.#run((open, run) => classify(open, inputs, run))
  }

  async stop(): Promise<void> {
    this.#abort?.abort()
  }

  async close(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    if (!open) return
    await Promise.allSettled([open.link.close('The owner has left.'), open.agreement.close()])
  }

  /** Totals for the terminal and for benches. */
  totals(): { hops: number; upBytes: number; downBytes: number; dealerBytes: number; rows: number } {
    const { session, link } = this.#current()
    const { hops, dealerBytes, rows } = session.totals
    return { hops, rows, dealerBytes, upBytes: link.traffic.sentBytes, downBytes: link.traffic.receivedBytes }
  }

  #current(): Open {
    if (!this.#open) throw new OwnerError('expired', 'There is no session.', 'Connect again.')
    return this.#open
  }

  /** Runs one request at a time, which `stop` can cancel. */
  async #run<T>(work: (open: Open, run: Running) => Promise<T>): Promise<T> {
    const open = this.#current()
    if (this.#abort) throw new OwnerError('busy', 'A request is under way already.', 'Stop it first.')
    const abort = new AbortController()
    this.#abort = abort
    const run: Running = {
      signal: abort.signal,
      say: (event) => this.#event(event),
      passed: (seconds) => {
        this.#seconds = seconds
        this.#stats()
      },
    }
    try {
      return await work(open, run)
    } catch (error) {
      // Whatever went wrong in a pass, shares may be out of step: the next request starts a new session.
      if (!(error instanceof OwnerError)) await this.close()
      throw error
    } finally {
      this.#abort = undefined
      if (this.#open) {
        await open.session.drop().catch(() => undefined)
        this.#stats()
      }
    }
  }

  #stats(): void {
    const open = this.#open
    if (!open) return
    const { session, link, agreement } = open
    const stats = statsOf(session, link.traffic, agreement.traffic, open.dispatches(), this.#seconds)
    this.#event({ type: 'stats', stats })
  }
}
