/** The dealer's engine, loaded only by the process that runs it. */
import type { DealerEngine } from '../protections/shared/agreement/parties.ts'
import type { Opener } from '../protections/shared/agreement/seal.ts'

/** @param splitBundles folder of the dealer's split bundles, if it has any. */
export async function dealerEngine(
  splitBundles: string | undefined,
  opener: Opener,
): Promise<(serverKey: string) => DealerEngine> {
  const [{ createNodeKernels }, { PlanDealer }, { readSplitBundles }] = await Promise.all([
    import('../kernels/node/kernels.ts'),
    import('../protections/shared/dealer/engine.ts'),
    import('../protections/shared/dealer/split-bundles.ts'),
  ])
  const kernels = createNodeKernels()
  const own = splitBundles === undefined ? new Map() : await readSplitBundles(splitBundles, opener)
  return (serverKey) => new PlanDealer(kernels, own, serverKey)
}
