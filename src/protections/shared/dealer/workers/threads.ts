/** The dealer's threads that deal: as many as it was started with, each of which has every model. */
import type { DealerEngine } from '../../agreement/parties.ts'
import type { SplitBundle } from '../../custody/split-bundle.ts'
import type { WorkerSetup } from './api.ts'
import { ThreadedDealer } from './engine.ts'
import { DealingThread } from './thread.ts'

export class DealingThreads {
  readonly #setup: WorkerSetup
  readonly #splitBundles: ReadonlyMap<string, SplitBundle>
  readonly #threads: DealingThread[]
  #number = 0

  /** @param products how products of many rows are made */
  constructor(
    count: number,
    products: WorkerSetup['products'],
    splitBundles: ReadonlyMap<string, SplitBundle> = new Map(),
  ) {
    const held = [...splitBundles].map(
      ([hash, { seed, server, path }]) => [hash, { seed, server, path }] as const,
    )
    this.#setup = { products, splitBundles: new Map(held) }
    this.#splitBundles = splitBundles
    this.#threads = Array.from({ length: count }, () => new DealingThread(this.#setup))
  }

  /** For one server; a thread that was lost is replaced before. */
  makeEngine(serverKey: string): DealerEngine {
    for (const [i, { isLost }] of this.#threads.entries())
      if (isLost) this.#threads[i] = new DealingThread(this.#setup)
    return new ThreadedDealer({
      threads: [...this.#threads],
      serverKey,
      splitBundles: this.#splitBundles,
      nextNumber: () => ++this.#number,
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()))
  }
}
