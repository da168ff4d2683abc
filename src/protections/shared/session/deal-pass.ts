/** What is dealt for one pass, as its dealer does it and as who audits it does it again. */
import type { RowCache } from '../cache.ts'
import { Prg } from '../prg.ts'
import { rowChunksOf } from '../row-chunks.ts'
import { type DealerHoldings, DealerPass } from '../runners/dealer.ts'
import type { Shape } from '../shape.ts'
import type { ModelPlans } from './model-plan.ts'
import { passBinding } from './pass-binding.ts'
import type { Turn } from './turn.ts'

/** Keys of one pass, 32 bytes each. */
export interface PassKeys {
  readonly owner: Uint8Array
  readonly server: Uint8Array
}

/** What a pass is dealt from; `cache` has the masks of earlier passes' keys and values. */
export interface PassDealing extends Pick<DealerHoldings, 'kernels' | 'differences'> {
  readonly plans: ModelPlans
  readonly keys: PassKeys
  readonly cache: RowCache
}

/** Writes a pass's whole stream (`material-stream.ts`), piece by piece, and lets others have their `turn` between them. */
export async function dealPass(
  { plans, kernels, differences, keys, cache }: PassDealing,
  shape: Shape,
  write: (bytes: Uint8Array) => Promise<void>,
  turn: Turn,
): Promise<void> {
  await write(await passBinding(plans, shape))
  await write(keys.server)
  const { plan } = plans.of(shape)
  const own: DealerHoldings = {
    kernels,
    owner: new Prg(kernels, keys.owner),
    server: new Prg(kernels, keys.server),
    differences,
    cache: plans.cacheOf(shape, cache),
  }
  const rowChunks = rowChunksOf(shape).map((rowChunk) => new DealerPass(plan, rowChunk, own))
  for (const step of plan.steps)
    for (const rowChunk of rowChunks) {
      const products = rowChunk.multiplyAhead(step)
      if (products) await turn.computing(products)
      for (const part of rowChunk.dealStep(step)) {
        await write(part)
        await turn.next()
      }
    }
}
