/** The engine's classes, loaded only by the processes that run them. */
import type { CatalogEntry } from '../server/catalog.ts'
import type { DealerEngine, ServerEngine } from '../session/parties.ts'

export async function serverEngine(catalog: readonly CatalogEntry[]): Promise<ServerEngine> {
  const [{ createNodeKernels }, { PlanServer }] = await Promise.all([
    import('../kernels/node/kernels.ts'),
    import('../server/engine.ts'),
  ])
  return PlanServer.load(createNodeKernels(), catalog)
}

export async function dealerEngine(): Promise<() => DealerEngine> {
  const [{ createNodeKernels }, { PlanDealer }] = await Promise.all([
    import('../kernels/node/kernels.ts'),
    import('../dealer/engine.ts'),
  ])
  const kernels = createNodeKernels()
  return () => new PlanDealer(kernels)
}
