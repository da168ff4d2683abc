/** The worker that the engine runs in: started when first needed, and started anew after a crash. */
import { proxy, type Remote, wrap } from 'comlink'
import { OwnerError } from '../../owner/api.ts'
import { installErrorTransfer, type WorkerApi } from '../../owner/remote.ts'
import { loadConfig } from '../config.ts'
import { host } from '../host.ts'
import { parties } from './parties.ts'

const advice = 'Try again; if it keeps failing, reload the page.'

installErrorTransfer()

export class EngineWorker {
  #starting?: Promise<Remote<WorkerApi>>
  /** Rejects if the worker dies, which would otherwise leave its callers waiting forever. */
  #crashed: Promise<never> = new Promise(() => undefined)
  #crash: (reason: OwnerError) => void = () => undefined

  async call<T>(use: (remote: Remote<WorkerApi>) => Promise<T>): Promise<T> {
    this.#starting ??= this.#start()
    try {
      const remote = await this.#starting
      return await Promise.race([use(remote), this.#crashed])
    } catch (reason) {
      throw OwnerError.from(reason)
    }
  }

  /** Gives up whatever it does; the next call starts another. */
  end(): void {
    this.#crash(new OwnerError('closed', 'The private session was given up.', 'Try again.'))
  }

  async #start(): Promise<Remote<WorkerApi>> {
    try {
      const config = await loadConfig()
      parties.set({ server: { url: config.server, operator: config.operator } })
      const worker = new Worker(new URL('../../owner/worker.ts', import.meta.url), {
        type: 'module',
        name: 'owner',
      })
      this.#crashed = new Promise<never>((_, reject) => {
        this.#crash = (reason) => {
          worker.terminate()
          this.#starting = undefined
          reject(reason)
        }
        worker.addEventListener('error', ({ message }) => {
          const why = message || 'its script failed to load'
          this.#crash(new OwnerError('crashed', `The engine stopped: ${why}.`, advice))
        })
      })
      // Several calls may race against the same crash, or none; none of them leaves it unhandled.
      this.#crashed.catch(() => undefined)
      const remote = wrap<WorkerApi>(worker)
      await Promise.race([remote.start(config, proxy(host)), this.#crashed])
      return remote
    } catch (reason) {
      this.#starting = undefined
      throw reason
    }
  }
}
