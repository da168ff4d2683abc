/** One thread that deals, as the main thread has it. */
import { Worker } from 'node:worker_threads'
import { type Remote, wrap } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import type { WorkerApi, WorkerSetup } from './api.ts'

export class DealingThread {
  readonly remote: Remote<WorkerApi>
  /** Settles when the thread has ended by itself, with why. */
  readonly lost: Promise<Error>
  /** Sessions that it deals for. */
  sessions = 0
  readonly #worker: Worker
  readonly #waiting = new Set<(error: Error) => void>()
  #ended: Error | undefined

  constructor(setup: WorkerSetup) {
    this.#worker = new Worker(new URL('./boot.js', import.meta.url), { workerData: setup })
    // It ends with the process.
    this.#worker.unref()
    this.remote = wrap<WorkerApi>(nodeEndpoint(this.#worker))
    this.lost = new Promise((resolve) => {
      const ended = (error: Error) => {
        this.#ended = error
        for (const reject of this.#waiting) reject(error)
        resolve(error)
      }
      this.#worker.once('error', ended)
      this.#worker.once('exit', (code) =>
        ended(new Error(`A thread that deals has ended (exit code ${code}).`)),
      )
    })
  }

  get isLost(): boolean {
    return this.#ended !== undefined
  }

  /** What the thread answers. Rejects where it ends first: nobody would ever answer. */
  answer<T>(asked: PromiseLike<T>): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject)
      const settled = () => this.#waiting.delete(reject)
      asked.then(
        (result) => {
          settled()
          resolve(result)
        },
        (error) => {
          settled()
          reject(error)
        },
      )
    })
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}
