/** The data owner's engine: everything between a conversation in clear and masked words on the wire. */
import { Tokenizer } from '@huggingface/tokenizers'
import { loadPublic, type PublicModel } from '../model/bundle.ts'
import { decodeText, encodePrompt, StreamDecoder, stopIds } from '../model/chat.ts'
import { BundleError } from '../model/manifest.ts'
import { Sampler } from '../model/sample.ts'
import { modelPlans, planHash } from '../protocol/session/model-plan.ts'
import { Cancelled, OwnerSession } from '../protocol/session/owner-session.ts'
import { MAX_ROWS } from '../protocol/session/pass-messages.ts'
import { fetchCards, type ServedCard } from '../session/card.ts'
import { type OwnerSession as Agreement, greetServer, openSession } from '../session/owner.ts'
import { connect } from '../transport/connect.ts'
import type { Link } from '../transport/link.ts'
import type {
  ChatOptions,
  ChatResult,
  Message,
  ModelCard,
  OpenOptions,
  OwnerApi,
  OwnerEvent,
  OwnerHost,
  PageConfig,
  SessionInfo,
} from './api.ts'
import { OwnerError } from './api.ts'
import { Ends } from './ends.ts'
import { browserPlatform, type Platform } from './platform.ts'
import { statsOf } from './stats.ts'
import { ownerWeights } from './weights.ts'

/** Rows of input-independent work kept ready, and how many are made at a time. */
const READY_ROWS = 32
const READY_BATCH = 8
/** A greeting answered sooner comes from the same computer or house, where a hop is cheaper than dealt bytes. */
const NEAR_MS = 12
/** Room kept for the reply when a long conversation is cut. */
const REPLY_ROOM = 96

interface Open {
  readonly model: PublicModel
  readonly tokenizer: Tokenizer
  readonly ends: Ends
  readonly agreement: Agreement
  readonly link: Link
  readonly session: OwnerSession
  readonly info: SessionInfo
  readonly dispatches: () => number
  /** Tokens whose keys and values all parties have cached. */
  cached: number[]
}

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

  async models(): Promise<ModelCard[]> {
    return (await fetchCards(this.#config.server, this.#platform.connect.fetch)).models
  }

  async open(options: OpenOptions, onEvent: (event: OwnerEvent) => void): Promise<SessionInfo> {
    await this.close()
    this.#event = onEvent
    const { server, dealer } = this.#config
    const list = await fetchCards(server, this.#platform.connect.fetch)
    const card = list.models.find((m) => m.name === options.model)
    if (!card)
      throw new OwnerError(
        'unknown-model',
        `The server has no model '${options.model}'.`,
        'Choose another model.',
      )
    const model = await this.#load(card)
    const plans = modelPlans(model.manifest)
    const hash = await planHash(plans)
    if (hash !== card.planHash)
      throw new OwnerError(
        'plan-mismatch',
        'This page and the server would run the model differently.',
        'Reload the page.',
      )
    this.#progress('connect', 0, 3, 'Choosing where to compute')
    const { device, reason } = await this.#platform.device(options.backend, (why) =>
      this.#event({ type: 'notice', text: `Sotto goes on without the GPU, on the processor (${why}).` }),
    )
    this.#progress('connect', 1, 3, 'Agreeing on keys with the dealer')
    const agreement = await openSession({
      dealerUrl: dealer.url,
      dealerKey: dealer.key,
      serverKey: list.serverKey,
      modelHash: card.hash,
      planHash: hash,
      profile: card.profile,
      fetch: this.#platform.connect.fetch,
    })
    this.#progress('connect', 2, 3, 'Connecting to the model server')
    const connected = await connect(server, { ...this.#platform.connect, link: options.link })
    const { link } = connected
    try {
      const greeted = performance.now()
      const { fSeed } = await greetServer(link, agreement)
      const isNear = performance.now() - greeted < NEAR_MS
      const { kernels } = this.#platform
      const { config } = model.manifest
      const session = new OwnerSession({
        plans,
        isNear,
        kernels,
        device,
        link,
        seed: agreement.seed,
        stationarySeed: fSeed,
        clear: ownerWeights(kernels, plans, model.tensors, { server: fSeed, dealer: agreement.splitSeed }),
        requestPass: (pass, body) => agreement.requestPass(pass, body),
      })
      const info: SessionInfo = {
        model: card,
        link: { kind: link.kind, reason: connected.reason },
        backend: { name: device.name, reason },
        dealer: dealer.url,
        server,
        sessionId: agreement.sessionId,
      }
      this.#open = {
        model,
        tokenizer: new Tokenizer(model.tokenizer, {}),
        ends: new Ends(config, model.tensors, plans),
        agreement,
        link,
        session,
        info,
        dispatches: () => device.dispatches,
        cached: [],
      }
      this.#progress('connect', 3, 3, 'Connected')
      this.#stats()
      return info
    } catch (error) {
      await link.close()
      await agreement.close()
      throw error
    }
  }

  async prepare(): Promise<void> {
    const { session } = this.#current()
    await session.pool.fill(READY_ROWS, READY_BATCH, () => this.#stats())
  }

  async chat(messages: Message[], options: ChatOptions): Promise<ChatResult> {
    const open = this.#current()
    if (this.#abort) throw new OwnerError('busy', 'A reply is being made already.', 'Stop it first.')
    const abort = new AbortController()
    this.#abort = abort
    const made: number[] = []
    const decoder = new StreamDecoder(open.tokenizer)
    try {
      const ids = this.#prompt(open, messages)
      let normal = await this.#prefill(open, ids, abort.signal, options.maxTokens > 1)
      const { config } = open.model.manifest
      const stop = stopIds(open.model.manifest)
      const seed = options.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]
      const sampler = new Sampler({ temperature: options.temperature, topP: options.topP, seed })
      let finish: ChatResult['finish'] = 'length'
      while (made.length < options.maxTokens) {
        const id = sampler.pick(open.ends.logits(normal))
        if (stop.includes(id)) {
          finish = 'stop'
          break
        }
        made.push(id)
        this.#event({ type: 'token', text: decoder.push(id), id })
        if (made.length === options.maxTokens) break
        if (open.cached.length >= config.context) {
          finish = 'context'
          break
        }
        normal = await this.#pass(open, [id], abort.signal, made.length + 1 < options.maxTokens)
      }
      return { text: decodeText(open.tokenizer, made), ids: made, finish }
    } catch (error) {
      if (error instanceof Cancelled)
        return { text: decodeText(open.tokenizer, made), ids: made, finish: 'cancelled' }
      // Whatever went wrong, shares may be out of step: the next conversation starts a new session.
      await this.close()
      throw error
    } finally {
      this.#abort = undefined
      if (this.#open) {
        await open.session.drop().catch(() => undefined)
        this.#stats()
      }
    }
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

  async #load(card: ServedCard): Promise<PublicModel> {
    const base = new URL(`/api/models/${card.name}/`, this.#config.server).href
    const load = () =>
      loadPublic((name) => this.#platform.download(base + name, card.hash), {
        expectedHash: card.hash,
        onProgress: ({ loaded, total, file }) => {
          if (file === 'public.safetensors')
            this.#progress('model', loaded, total, 'Downloading the public part of the model')
        },
      })
    try {
      return await load()
    } catch (error) {
      // A damaged copy in the browser's cache must not outlive its discovery.
      if (!(error instanceof BundleError) || error.fault !== 'hash-mismatch' || !this.#platform.forget)
        throw error
      await this.#platform.forget(card.hash)
      return load()
    }
  }

  /** The conversation's ids, oldest turns left out if they don't fit. */
  #prompt(open: Open, messages: Message[]): number[] {
    const { manifest } = open.model
    const limit = manifest.config.context - REPLY_ROOM
    try {
      const whole = encodePrompt(open.tokenizer, manifest, messages)
      if (whole.length <= limit) return whole
      const text = 'The conversation is longer than the model can remember, so its oldest turns are left out.'
      this.#event({ type: 'notice', text })
      return encodePrompt(open.tokenizer, manifest, messages, { maxTokens: limit })
    } catch (error) {
      const message = error instanceof Error ? error.message : 'The message is too long.'
      throw new OwnerError('context', message, 'Shorten the message, or start a new conversation.')
    }
  }

  /** Runs what is not cached yet; resolves with the last row's hidden state. */
  async #prefill(open: Open, ids: number[], signal: AbortSignal, next: boolean): Promise<Float64Array> {
    let base = 0
    while (base < open.cached.length && base < ids.length - 1 && open.cached[base] === ids[base]) base++
    open.cached.length = base
    const first = base
    let normal = new Float64Array()
    while (base < ids.length) {
      const part = ids.slice(base, base + MAX_ROWS)
      this.#progress('prefill', base - first, ids.length - first, 'Reading your message, privately')
      normal = new Float64Array(
        await this.#pass(open, part, signal, next && base + part.length === ids.length),
      )
      base += part.length
    }
    this.#progress('prefill', ids.length - first, ids.length - first, 'Read')
    return normal
  }

  async #pass(open: Open, ids: number[], signal: AbortSignal, next: boolean): Promise<Float64Array> {
    const base = open.cached.length
    const started = performance.now()
    const normal = await open.session.run(base, open.ends.embed(ids, base), { next, signal })
    open.cached.push(...ids)
    this.#seconds = (performance.now() - started) / 1000 / ids.length
    this.#stats()
    return normal
  }

  #progress(phase: 'model' | 'connect' | 'prefill', done: number, total: number, text: string): void {
    this.#event({ type: 'progress', phase, done, total, text })
  }

  #stats(): void {
    const open = this.#open
    if (!open) return
    const { session, link, agreement } = open
    const stats = statsOf(session, link.traffic, agreement.traffic, open.dispatches(), this.#seconds)
    this.#event({ type: 'stats', stats })
  }
}
