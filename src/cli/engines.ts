/** The engine's classes, loaded only by the processes that run them. */
import type { CatalogEntry } from '../model/files/catalog.ts'
import type { DealerEngine, ServerEngine } from '../protections/shared/agreement/parties.ts'
import type { Opener } from '../protections/shared/agreement/seal.ts'

/** @param opener opens the seeds of split models. */
export async function serverEngine(catalog: readonly CatalogEntry[], opener: Opener): Promise<ServerEngine> {
  const [{ createNodeKernels }, { PlanServer }] = await Promise.all([
    import('../kernels/node/kernels.ts'),
    import('../protections/shared/server/engine.ts'),
  ])
  return PlanServer.load(createNodeKernels(), catalog, undefined, opener)
}

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
