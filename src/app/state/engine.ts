/** The page's side of the engine: starts the worker, opens the session, and keeps what the panel shows. */
import { proxy, type Remote, wrap } from 'comlink'
import type {
  BackendKind,
  ChatOptions,
  ChatResult,
  LinkKind,
  Message,
  ModelCard,
  OwnerEvent,
  SessionInfo,
  Stats,
} from '../../owner/api.ts'
import { OwnerError } from '../../owner/api.ts'
import { installErrorTransfer, type WorkerApi } from '../../owner/remote.ts'
import { loadConfig } from '../config.ts'
import { host } from '../host.ts'
import { settings } from './settings.ts'
import { Store } from './store.ts'

export interface Progress {
  phase: 'model' | 'connect' | 'prefill'
  done: number
  total: number
  text: string
}

export interface EngineState {
  /** `offer`: a large model waits for the person's consent to its download. */
  phase: 'starting' | 'offer' | 'opening' | 'open' | 'failed'
  models: ModelCard[]
  model?: ModelCard
  session?: SessionInfo
  progress?: Progress
  stats?: Stats
  notice?: string
  error?: OwnerError
}

/** Downloads up to this size start by themselves; larger ones, or any on a metered link, are asked for. */
const freeDownload = 8_000_000

/** At most one request for preparation in this time, however fast the person types. */
const prepareEvery = 400

const again = 'Try again; if it keeps failing, reload the page.'

const query = new URLSearchParams(location.search)
const oneOf = <T extends string>(name: string, ...allowed: T[]): T | undefined =>
  allowed.find((value) => value === query.get(name))

export class Engine extends Store<EngineState> {
  #remote?: Remote<WorkerApi>
  /** Rejects if the worker dies, which would otherwise leave its callers waiting forever. */
  #crashed: Promise<never> = new Promise(() => undefined)
  #opening?: Promise<void>
  #preparedAt = 0
  /** Receives the text of the reply in progress. */
  onToken?: (text: string) => void

  constructor() {
    super({ phase: 'starting', models: [] })
  }

  /** Starts the worker and asks the server what it offers; opens a session if that costs little. */
  async start(): Promise<void> {
    try {
      this.set({ phase: 'starting', error: undefined })
      const remote = await this.#worker()
      const models = await Promise.race([remote.models(), this.#crashed])
      if (models.length === 0) throw new OwnerError('unknown-model', 'The model server offers no models.')
      this.set({ models, model: this.#choose(models) })
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
    if (this.state.phase === 'open') return
    if (this.state.models.length === 0) await this.start()
    // Sending a message is consent to the download that was offered.
    else await this.open()
    if (this.state.phase === 'offer') await this.open()
    if (this.state.error) throw this.state.error
  }

  /** Chooses another model and opens a session with it. */
  async use(model: ModelCard): Promise<void> {
    settings.set({ model: model.name })
    this.set({ model, session: undefined, stats: undefined, phase: 'offer' })
    if (!(await this.#costly())) await this.open().catch(() => undefined)
  }

  async chat(messages: Message[], options: ChatOptions): Promise<ChatResult> {
    const remote = await this.#worker()
    try {
      return await Promise.race([remote.chat(messages, options), this.#crashed])
    } catch (reason) {
      const error = OwnerError.from(reason)
      // Whatever broke, the next attempt opens a new session: its masks are new, so nothing can be used twice.
      this.set({ phase: 'failed', error, session: undefined })
      throw error
    } finally {
      this.set({ progress: undefined })
    }
  }

  async stop(): Promise<void> {
    await this.#remote?.stop()
  }

  /** The person is typing: let the engine do input-independent work ahead. */
  prepare(): void {
    const now = performance.now()
    if (this.state.phase !== 'open' || now - this.#preparedAt < prepareEvery) return
    this.#preparedAt = now
    // Preparation is optional; an error will show again, with its advice, when the person sends.
    this.#remote?.prepare().catch(() => undefined)
  }

  async #open(): Promise<void> {
    try {
      const model = this.state.model
      if (!model) return await this.start()
      this.set({ phase: 'opening', error: undefined, notice: undefined, stats: undefined })
      const remote = await this.#worker()
      const options = {
        model: model.name,
        link: oneOf<LinkKind>('link', 'fetch', 'webrtc', 'ws'),
        backend: oneOf<BackendKind>('backend', 'webgpu', 'wasm'),
      }
      const session = await Promise.race([remote.open(options, proxy(this.#onEvent)), this.#crashed])
      this.set({ phase: 'open', session, progress: undefined })
      localStorage.setItem(`sotto.have.${model.hash}`, '1')
    } catch (reason) {
      this.#fail(reason)
    }
  }

  #fail(reason: unknown): void {
    this.set({ phase: 'failed', error: OwnerError.from(reason), session: undefined, progress: undefined })
  }

  #choose(models: ModelCard[]): ModelCard {
    const wanted = [query.get('model'), settings.state.model]
    for (const name of wanted) {
      const found = models.find((model) => model.name === name)
      if (found) return found
    }
    const asked = query.get('model')
    if (asked)
      this.set({ notice: `There is no model called “${asked}” here; using ${models[0].title} instead.` })
    return models[0]
  }

  /** Whether to ask before downloading the chosen model. */
  async #costly(): Promise<boolean> {
    const { model } = this.state
    if (!model || localStorage.getItem(`sotto.have.${model.hash}`)) return false
    const metered = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData === true
    return metered || model.publicBytes > freeDownload
  }

  async #worker(): Promise<Remote<WorkerApi>> {
    if (this.#remote) return this.#remote
    const config = await loadConfig()
    installErrorTransfer()
    const worker = new Worker(new URL('../../owner/worker.ts', import.meta.url), {
      type: 'module',
      name: 'owner',
    })
    this.#crashed = new Promise<never>((_, reject) => {
      worker.addEventListener('error', (event) => {
        worker.terminate()
        this.#remote = undefined
        reject(
          new OwnerError(
            'internal',
            `The engine stopped: ${event.message || 'its script failed to load'}.`,
            again,
          ),
        )
      })
    })
    // Several calls may race against the same crash, or none; none of them leaves it unhandled.
    this.#crashed.catch(() => undefined)
    const remote = wrap<WorkerApi>(worker)
    await Promise.race([remote.start(config, proxy(host)), this.#crashed])
    this.#remote = remote
    return remote
  }

  /** The words that the server saw last; messages of few words are shown together with those before them. */
  #sample({ serverSample: latest }: Stats): number[] {
    const earlier = this.state.stats?.serverSample ?? []
    const repeated = latest.every((word, at) => word === earlier[at])
    return repeated ? earlier : [...latest, ...earlier].slice(0, 16)
  }

  readonly #onEvent = (event: OwnerEvent): void => {
    if (event.type === 'token') this.onToken?.(event.text)
    else if (event.type === 'stats')
      this.set({ stats: { ...event.stats, serverSample: this.#sample(event.stats) } })
    else if (event.type === 'notice') this.set({ notice: event.text })
    else this.set({ progress: event })
  }
}

export const engine = new Engine()
