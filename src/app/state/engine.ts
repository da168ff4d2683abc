/** The page's side of the engine: starts the worker, opens the session, and keeps what the panel shows. */
import type {
  Answer,
  BackendKind,
  ClassifyInput,
  LinkChoice,
  Measured,
  Message,
  ModelListing,
  OnEvent,
  OwnerApi,
  OwnerEvent,
  PageConfig,
  Task,
} from '../../owner/api.ts'
import { OwnerError } from '../../owner/api.ts'
import type { ChatOptions, ChatResult } from '../../owner/chat-options.ts'
import type { Stats } from '../../owner/session-stats.ts'
import { WorkerOwner } from '../../owner/worker-owner.ts'
import { loadConfig } from '../config.ts'
import { type Conversation, systemOf } from '../history/conversation.ts'
import { t } from '../language.ts'
import { modelName } from '../names.ts'
import type { EngineState } from './engine-state.ts'
import { Healing } from './healing.ts'
import { forPage, taskOf } from './page-task.ts'
import { parties } from './parties.ts'
import { type Away, isOfTheRequest, isPassing } from './reachability.ts'
import { settings } from './settings.ts'
import { local } from './storage.ts'
import { Store } from './store.ts'

/** Downloads up to this size start by themselves; larger ones, or any on a metered link, are asked for. */
const freeDownload = 8_000_000

/** At most one request for preparation in this time, however fast the person types. */
const prepareEvery = 400

const makeWorker = (): Worker =>
  new Worker(new URL('../../owner/worker.ts', import.meta.url), { type: 'module', name: 'owner' })

async function configured(): Promise<PageConfig> {
  const config = await loadConfig()
  parties.set({ server: { url: config.server, operator: config.operator } })
  return config
}

const query = new URLSearchParams(location.search)
const oneOf = <T extends string>(name: string, ...allowed: T[]): T | undefined =>
  allowed.find((value) => value === query.get(name))

export class Engine extends Store<EngineState> {
  readonly #owner = new WorkerOwner(makeWorker, configured)
  readonly #healing = new Healing((away) => this.#heal(away))
  #starting?: Promise<void>
  #opening?: Promise<void>
  #preparedAt = 0
  #sampled = ''
  /** The session that was asked for last: what another one still tells is nobody's on screen. */
  #asked?: symbol
  /** Hears of the request in progress. */
  #listener?: OnEvent

  constructor() {
    super({ phase: 'starting', models: [], wasOpen: false })
  }

  /** What the chosen model is for; not known while the model that an address asks for is still looked up. */
  get task(): Task | undefined {
    const { model, phase } = this.state
    if (model) return taskOf(model)
    return phase === 'starting' && query.has('model') ? undefined : settings.state.task
  }

  /** Asks the server what it offers, and opens a session if that costs little; calls meanwhile join. */
  start(): Promise<void> {
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined
    })
    return this.#starting
  }

  async #start(): Promise<void> {
    try {
      this.set({ phase: 'starting', error: undefined })
      if (!isSecureContext)
        throw new OwnerError(
          'crypto-missing',
          'This page was opened over plain http, where browsers offer no cryptography.',
          'Open it over https, or on this machine as localhost.',
        )
      const models = forPage(await this.#owner.models())
      if (models.length === 0) throw new OwnerError('unknown-model', 'The model server offers no models.')
      // A retry keeps what the person has chosen meanwhile.
      const chosen = models.find(({ name }) => name === this.state.model?.name)
      this.set({ models, model: chosen ?? this.#choose(models) })
      parties.set({ dealer: this.state.model?.protection.dealer })
      if (await this.#costly()) this.set({ phase: 'offer' })
      else await this.open()
    } catch (reason) {
      this.#fail(reason)
    }
  }

  /** Opens a session with the chosen model; calls while one is being opened join it. */
  open(): Promise<void> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  /** Resolves once a session is open, starting whatever is missing. */
  async ready(): Promise<void> {
    if (this.state.phase === 'starting' || this.state.phase === 'failed') await this.start()
    // Sending a message is consent to the download that was offered.
    // Twice where another model was chosen meanwhile.
    while (this.state.phase === 'offer' || this.state.phase === 'opening') await this.open()
    if (this.state.error) throw this.state.error
  }

  /** Chooses another model and opens a session with it. */
  async use(model: ModelListing): Promise<void> {
    settings.set({ model: model.name, task: taskOf(model) })
    // A reload, or the address sent to somebody else, finds the same model.
    const address = new URL(location.href)
    address.searchParams.set('model', model.name)
    history.replaceState(null, '', address)
    const fresh = { session: undefined, stats: undefined, progress: undefined, phase: 'offer' } as const
    this.#asked = undefined
    this.set({ model, ...fresh })
    parties.set({ dealer: model.protection.dealer })
    // A session that is being opened is still the old model's.
    await this.#opening?.catch(() => undefined)
    if (this.state.model !== model) return
    this.set(fresh)
    if (!(await this.#costly())) await this.open().catch(() => undefined)
  }

  /** `onEvent` hears each token; all of them come before the result. */
  chat(messages: Message[], options: ChatOptions, onEvent: OnEvent): Promise<ChatResult> {
    return this.#compute((owner) => owner.chat(messages, options), onEvent)
  }

  /** `onEvent` hears each label; all of them, and the totals in `state`, come before the result. */
  classify(inputs: ClassifyInput[], onEvent: OnEvent): Promise<Answer[]> {
    return this.#compute((owner) => owner.classifyEach(inputs), onEvent)
  }

  /** How long a message is behind a conversation's instructions, and how long it may be; nothing while that cannot be told. */
  async measure(content: string, conversation: Conversation): Promise<Measured | undefined> {
    if (this.state.phase !== 'open' || this.task !== 'chat') return undefined
    const options = { maxTokens: settings.state.maxTokens, system: systemOf(conversation) }
    return this.#owner.measure({ role: 'user', content }, options).catch(() => undefined)
  }

  async #compute<T>(use: (owner: OwnerApi) => Promise<T>, onEvent: OnEvent): Promise<T> {
    this.#listener = onEvent
    // The words that the server saw belong to one question: those of the last one must not show under this one.
    const { stats } = this.state
    if (stats) this.set({ stats: { ...stats, serverSample: [] } })
    try {
      return await use(this.#owner)
    } catch (reason) {
      const error = OwnerError.from(reason)
      // Whatever broke, the next attempt opens a new session: its masks are new, so nothing can be used twice.
      if (!isOfTheRequest(error)) this.#fail(error)
      throw error
    } finally {
      this.#listener = undefined
      this.set({ progress: undefined })
    }
  }

  /** Takes the text of a key file that the chosen model asks for. Rejects with `OwnerError` for another file. */
  async giveKey(file: string): Promise<void> {
    const { model } = this.state
    if (model) await this.#owner.giveKey(model.protection.id, file)
  }

  /** Ends a session whose parties do not answer any more. */
  giveUp(): void {
    this.#owner.abandon()
  }

  async stop(): Promise<void> {
    await this.#owner.stop()
  }

  /** A message may come soon: let the engine do input-independent work ahead. */
  prepare(): void {
    const now = performance.now()
    this.#healing.typing()
    if (this.state.phase !== 'open' || now - this.#preparedAt < prepareEvery) return
    this.#preparedAt = now
    // Preparation is optional; an error will show again, with its advice, when the person sends.
    this.#owner.prepare().catch(() => undefined)
  }

  async #open(): Promise<void> {
    const { model } = this.state
    try {
      if (!model) throw new OwnerError('unknown-model', 'No model has been chosen.')
      this.set({ phase: 'opening', error: undefined, notice: undefined, stats: undefined })
      const options = {
        model: model.name,
        link: oneOf<LinkChoice>('link', 'fetch', 'webrtc', 'ws'),
        backend: oneOf<BackendKind>('backend', 'webgpu', 'wasm'),
      }
      const asked = Symbol()
      this.#asked = asked
      const onEvent = (event: OwnerEvent) => this.#asked === asked && this.#onEvent(event)
      const session = await this.#owner.open(options, onEvent)
      if (this.state.model !== model) return
      this.set({ phase: 'open', session, progress: undefined, away: undefined, wasOpen: true })
      this.prepare()
      local.set(`sotto.have.${model.hash}`, '1')
    } catch (reason) {
      if (this.state.model === model) this.#fail(reason)
    }
  }

  #fail(reason: unknown): void {
    const error = OwnerError.from(reason)
    this.set({ phase: 'failed', error, session: undefined, progress: undefined })
    if (isPassing(error)) this.#healing.again()
  }

  /** Everybody is there again, or somebody has gone. */
  #heal(away: Away | undefined): void {
    if (away?.who !== this.state.away?.who) this.set({ away })
    if (away || this.#listener || this.state.phase !== 'failed') return
    if (this.state.error && !isPassing(this.state.error)) return
    void this.start()
  }

  #choose(models: ModelListing[]): ModelListing {
    const wanted = [query.get('model'), settings.state.model]
    for (const name of wanted) {
      const found = models.find((model) => model.name === name)
      if (found) return found
    }
    const first = models.find(({ task }) => task !== 'classify') ?? models[0]
    const asked = query.get('model')
    if (asked) this.set({ notice: t('notice.noModel', { name: asked, instead: modelName(first) }) })
    return first
  }

  /** Whether to ask before downloading the chosen model. */
  async #costly(): Promise<boolean> {
    const { model } = this.state
    if (!model || local.get(`sotto.have.${model.hash}`)) return false
    const metered = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData === true
    return metered || model.publicBytes > freeDownload
  }

  /** The words that the server saw last; messages of few words are shown together with those before them. */
  #sample({ serverSample: latest }: Stats): number[] {
    const shown = this.state.stats?.serverSample ?? []
    // Totals are also reported when nothing was sent in between.
    if (latest.join() === this.#sampled) return shown
    this.#sampled = latest.join()
    return [...latest, ...shown].slice(0, 16)
  }

  readonly #onEvent = (event: OwnerEvent): void => {
    if (event.type === 'stats')
      this.set({ stats: { ...event.stats, serverSample: this.#sample(event.stats) } })
    else if (event.type === 'notice') this.set({ notice: event.text })
    else if (event.type === 'progress') {
      const { progress } = this.state
      const since = progress?.phase === event.phase ? progress.since : performance.now()
      this.set({ progress: { ...event, since } })
    } else if (event.type === 'lost') {
      const { code, message, advice } = event.error
      this.#fail(new OwnerError(code, message, advice))
    }
    this.#listener?.(event)
  }
}

export const engine = new Engine()
