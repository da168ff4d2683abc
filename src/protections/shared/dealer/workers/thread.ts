/** One thread that deals, as the main thread has it. */
import { Worker } from 'node:worker_threads'
import { type Remote, wrap } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import type { WorkerApi, WorkerSetup } from './api.ts'

export class DealingThread {
  readonly remote: Remote<WorkerApi>
  /** Sessions that it deals for. */
  sessions = 0
  readonly #worker: Worker
  readonly #listeners = new Set<(error: Error) => void>()
  #ended: Error | undefined

  constructor(setup: WorkerSetup) {
    // What the process was told to load first may be TypeScript, which the thread reads only behind its own first lines; it may be profiled.
    const options = {
      workerData: setup,
      execArgv: process.execArgv.filter((flag) => flag.startsWith('--cpu-prof')),
    }
    this.#worker = new Worker(new URL('./boot.js', import.meta.url), options)
    // It ends with the process.
    this.#worker.unref()
    this.remote = wrap<WorkerApi>(nodeEndpoint(this.#worker))
    const ended = (error: Error) => {
      this.#ended ??= error
      for (const listener of this.#listeners) listener(this.#ended)
      this.#listeners.clear()
    }
    this.#worker.once('error', ended)
    this.#worker.once('exit', (code) =>
      ended(new Error(`A thread that deals has ended (exit code ${code}).`)),
    )
  }

  get isLost(): boolean {
    return this.#ended !== undefined
  }

  /** Called once when the thread has ended, with why, unless what this returns is called before. */
  onEnd(listener: (error: Error) => void): () => void {
    if (this.#ended) listener(this.#ended)
    else this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** What the thread answers. Rejects where it ends first: nobody would ever answer. */
  answer<T>(asked: PromiseLike<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const settled = this.onEnd(reject)
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
