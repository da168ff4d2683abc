/** What is dealt for one pass, as its dealer does it and as who audits it does it again. */
import type { RowCache } from '../cache.ts'
import { type OwnerKeys, Prg } from '../prg.ts'
import { rowChunksOf } from '../row-chunks.ts'
import { type DealerHoldings, DealerPass } from '../runners/dealer.ts'
import type { Shape } from '../shape.ts'
import type { ModelPlans } from './model-plan.ts'
import { passBinding } from './pass-binding.ts'
import type { Turn } from './turn.ts'

/** Keys of one pass, 32 bytes each. */
export interface PassKeys {
  /** Without `kept`, what goes with cached keys and values is left out. */
  readonly owner: Pick<OwnerKeys, 'pass'> & Partial<OwnerKeys>
  readonly server: Uint8Array
}

/** Takes the bytes of a pass's stream; `isKept`: they are of a step that masks of cached keys and values go into. */
export type DealtSink = (bytes: Uint8Array, isKept: boolean) => Promise<void>

/** What a pass is dealt from; `cache` has the masks of earlier passes' keys and values. */
export interface PassDealing extends Pick<DealerHoldings, 'kernels' | 'differences'> {
  readonly plans: ModelPlans
  readonly keys: PassKeys
  readonly cache: RowCache
}

/** Writes a pass's stream (`material-stream.ts`), piece by piece, and lets others have their `turn` between them. */
export async function dealPass(
  { plans, kernels, differences, keys, cache }: PassDealing,
  shape: Shape,
  write: DealtSink,
  turn: Turn,
): Promise<void> {
  await write(await passBinding(plans, shape), false)
  await write(keys.server, false)
  const { plan } = plans.of(shape)
  const own: DealerHoldings = {
    kernels,
    owner: new Prg(kernels, keys.owner.pass, keys.owner.kept),
    server: new Prg(kernels, keys.server),
    differences,
    cache: plans.cacheOf(shape, cache),
  }
  const rowChunks = rowChunksOf(shape).map((rowChunk) => new DealerPass(plan, rowChunk, own))
  for (const step of plan.steps) {
    const isKept = step.attends !== undefined
    if (isKept && !keys.owner.kept) continue
    for (const rowChunk of rowChunks) {
      const products = rowChunk.multiplyAhead(step)
      if (products) await turn.computing(products)
      for (const part of rowChunk.dealStep(step)) {
        await write(part, isKept)
        await turn.next()
      }
    }
  }
}
