/** The dealer's engine, loaded only by the process that runs it. */
import { availableParallelism } from 'node:os'
import type { DealerEngine } from '../protections/shared/agreement/parties.ts'
import type { Opener } from '../protections/shared/agreement/seal.ts'

export interface DealerEngines {
  /** For one server, by its identity key. */
  makeEngine(serverKey: string): DealerEngine
  /** Ends the threads. */
  close(): Promise<void>
}

export interface DealerEngineOptions {
  /** Folder of the dealer's split bundles, if it has any. */
  splitBundles?: string
  opener: Opener
  /** Threads that deal; 0 deals on the main thread. */
  workers?: number
}

/**
 * The main thread has a core for itself, and a server elsewhere takes no more than two make. With two cores or less a thread
 * is one more to wait for: beside both other parties, a token took a third longer.
 */
export const usualWorkers = (): number => (availableParallelism() > 2 ? 2 : 0)

export async function dealerEngines({
  splitBundles,
  opener,
  workers = usualWorkers(),
}: DealerEngineOptions): Promise<DealerEngines> {
  const { readSplitBundles } = await import('../protections/shared/dealer/split-bundles.ts')
  const own = splitBundles === undefined ? new Map() : await readSplitBundles(splitBundles, opener)
  if (workers === 0) {
    const [{ createNodeKernels }, { DEALER_DIGIT_BYTES, PlanDealer }] = await Promise.all([
      import('../kernels/node/kernels.ts'),
      import('../protections/shared/dealer/engine.ts'),
    ])
    const kernels = createNodeKernels({ digitBytes: DEALER_DIGIT_BYTES })
    return {
      makeEngine: (serverKey) => new PlanDealer(kernels, own, serverKey),
      close: async () => undefined,
    }
  }
  const [{ chooseProducts }, { DealingThreads }] = await Promise.all([
    import('../kernels/node/choice.ts'),
    import('../protections/shared/dealer/workers/threads.ts'),
  ])
  const { kind } = await chooseProducts()
  const threads = new DealingThreads(workers, kind, own)
  return { makeEngine: (serverKey) => threads.makeEngine(serverKey), close: () => threads.close() }
}
