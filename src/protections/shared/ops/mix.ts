import { plainContract } from '../../../kernels/contraction.ts'
import { lanesOf } from '../../../kernels/lanes.ts'
import type { Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { reduce } from '../ring.ts'
import { timesScale } from '../scale.ts'
import { rowLayout } from '../shape.ts'
import { type Opened, type Share, share } from '../values.ts'
import { contractionOf, contractionShare, type Heads } from './parts/contraction.ts'

/**
 * Attention's weighted sum of cached values: rows x heads·headDim, mod 2^ring (p's and v's own ring). `p` has the
 * weights, pairs x heads; `cache` the opened values. No message.
 */
export function mix(plan: PlanBuilder, p: Opened, v: Opened, cache: string, h: Heads): Share {
  const { ring } = p
  const layout = rowLayout(p.layout)
  const width = h.heads * h.headDim
  const slot: Slot = { name: 'pv', layout, width, bits: ring }
  const type = { layout, width, ring, scale: timesScale(p.scale, v.scale) }
  const own = contractionShare('mix', h, p, cache, slot)
  return plan.step<Share>('mix', share(type), [p, v], (id) => ({
    attends: v,
    slots: [slot],
    deal(ctx) {
      const terms = [[ctx.mask(p), ctx.cache(cache).masks]] as const
      return [ctx.kernels.contract('mix', terms, contractionOf(ctx.shape, layout, h), lanesOf(ring))]
    },
    run: (ctx) => own(ctx, id),
    oracle(ctx) {
      const terms = [[ctx.get(p), ctx.cache(cache).values]] as const
      return reduce(plainContract('mix', terms, contractionOf(ctx.shape, layout, h)), ring)
    },
  }))
}
