/** A data owner's engine in a worker, as its window sees it: started when first needed, and started anew after a crash. */
import { proxy, type Remote, transfer, wrap } from 'comlink'
import { openRelay } from '../transport/webrtc-relay.ts'
import {
  type Answer,
  type Classification,
  type ClassifyInput,
  type Embedding,
  type Measured,
  type Message,
  type ModelListing,
  type OnEvent,
  type OpenOptions,
  type OwnerApi,
  OwnerError,
  type PageConfig,
  type SessionInfo,
  type Unanswered,
} from './api.ts'
import type { ChatOptions, ChatResult, MeasureOptions } from './chat-options.ts'
import type { OwnerHost } from './host.ts'
import { installErrorTransfer, type WorkerApi } from './remote.ts'

const host: OwnerHost = {
  async openPeer(url: string): Promise<MessagePort> {
    try {
      const port = await openRelay(url)
      return transfer(port, [port])
    } catch (reason) {
      throw OwnerError.from(reason)
    }
  },
}

interface Started {
  readonly worker: Worker
  readonly remote: Remote<WorkerApi>
}

export class WorkerOwner implements OwnerApi {
  readonly #makeWorker: () => Worker
  readonly #config: () => Promise<PageConfig>
  /** Keys that people have given: a worker that follows another has them, too. */
  readonly #keys: [protection: string, file: string][] = []
  #starting?: Promise<Started>
  /** Rejects if the worker dies, which would otherwise leave its callers waiting forever. */
  #crashed: Promise<never> = new Promise(() => undefined)
  #crash: (reason: OwnerError) => void = () => undefined

  /** @param config where the other parties are; asked for when a worker is started */
  constructor(makeWorker: () => Worker, config: () => Promise<PageConfig>) {
    this.#makeWorker = makeWorker
    this.#config = config
    installErrorTransfer()
  }

  models(): Promise<ModelListing[]> {
    return this.#call((remote) => remote.models())
  }

  async giveKey(protection: string, file: string): Promise<void> {
    await this.#call((remote) => remote.giveKey(protection, file))
    this.#keys.push([protection, file])
  }

  open(options: OpenOptions, onEvent: OnEvent): Promise<SessionInfo> {
    return this.#call((remote) => remote.open(options, proxy(onEvent)))
  }

  prepare(): Promise<void> {
    return this.#call((remote) => remote.prepare())
  }

  measure(message: Message, options: MeasureOptions): Promise<Measured> {
    return this.#call((remote) => remote.measure(message, options))
  }

  chat(messages: Message[], options: ChatOptions): Promise<ChatResult> {
    return this.#call((remote) => remote.chat(messages, options))
  }

  classify(inputs: ClassifyInput[]): Promise<Classification[]> {
    return this.#call((remote) => remote.classify(inputs))
  }

  classifyEach(inputs: ClassifyInput[]): Promise<Answer[]> {
    return this.#call((remote) => remote.classifyEach(inputs))
  }

  embed(texts: string[]): Promise<Embedding[]> {
    return this.#call((remote) => remote.embed(texts))
  }

  embedEach(texts: string[]): Promise<(Embedding | Unanswered)[]> {
    return this.#call((remote) => remote.embedEach(texts))
  }

  stop(): Promise<void> {
    return this.#call((remote) => remote.stop())
  }

  /** Ends the session and the worker; the next call starts another one. */
  async close(): Promise<void> {
    const starting = this.#starting
    if (!starting) return
    try {
      await this.#call((remote) => remote.close())
    } finally {
      const started = await starting.catch(() => undefined)
      started?.worker.terminate()
      this.#starting = undefined
    }
  }

  /** Gives up whatever it does, without asking the other parties; the next call starts another worker. */
  abandon(): void {
    this.#crash(new OwnerError('closed', 'The private session was given up.', 'Try again.'))
  }

  async #call<T>(use: (remote: Remote<WorkerApi>) => Promise<T>): Promise<T> {
    this.#starting ??= this.#start()
    try {
      const { remote } = await this.#starting
      return await Promise.race([use(remote), this.#crashed])
    } catch (reason) {
      throw OwnerError.from(reason)
    }
  }

  async #start(): Promise<Started> {
    try {
      const config = await this.#config()
      const worker = this.#makeWorker()
      this.#crashed = new Promise<never>((_, reject) => {
        this.#crash = (reason) => {
          worker.terminate()
          this.#starting = undefined
          reject(reason)
        }
        worker.addEventListener('error', ({ message }) => {
          const why = message || 'its script failed to load'
          const advice = 'Try again; if it keeps failing, reload the page.'
          this.#crash(new OwnerError('crashed', `The engine stopped: ${why}.`, advice))
        })
      })
      // Several calls may race against the same crash, or none; none of them leaves it unhandled.
      this.#crashed.catch(() => undefined)
      const remote = wrap<WorkerApi>(worker)
      await Promise.race([remote.start(config, proxy(host)), this.#crashed])
      for (const key of this.#keys) await Promise.race([remote.giveKey(...key), this.#crashed])
      return { worker, remote }
    } catch (reason) {
      this.#starting = undefined
      throw reason
    }
  }
}
