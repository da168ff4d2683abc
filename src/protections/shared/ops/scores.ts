import { everyPair, plainContract } from '../../../kernels/contraction.ts'
import { lanesOf } from '../../../kernels/lanes.ts'
import type { Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { reduce, toFloats } from '../ring.ts'
import { timesScale } from '../scale.ts'
import { pairLayout } from '../shape.ts'
import { type Opened, type Share, share } from '../values.ts'
import { everyDistance } from './distance-bias.ts'
import { contractionOf, contractionShare, type Heads } from './parts/contraction.ts'

/** What a logit of a head loses over a distance. */
export type Fall = (distance: number, head: number) => number

/**
 * Attention logits q·k for every row and position it sees: pairs x heads, mod 2^ring (q's and k's own ring: a lift's
 * cross terms would meet in every sum). `cache` has the opened keys. No message. The oracle reports logits outside
 * `range`, which the ring could not tell apart: as they are once `fall` is taken off, where they fall with the distance.
 */
export function scores(
  plan: PlanBuilder,
  q: Opened,
  k: Opened,
  cache: string,
  h: Heads,
  range: readonly [low: number, high: number],
  fall?: Fall,
): Share {
  const { ring } = q
  const layout = pairLayout(q.layout)
  const slot: Slot = { name: 'qk', layout, width: h.heads, bits: ring }
  const type = { layout, width: h.heads, ring, scale: timesScale(q.scale, k.scale) }
  const own = contractionShare('scores', h, q, cache, slot)
  return plan.step<Share>('scores', share(type), [q, k], (id) => ({
    attends: k,
    slots: [slot],
    deal(ctx) {
      const terms = [[ctx.mask(q), ctx.cache(cache).masks]] as const
      return [ctx.kernels.contract('scores', terms, contractionOf(ctx.shape, layout, h), lanesOf(ring))]
    },
    run: (ctx) => own(ctx, id),
    oracle(ctx) {
      const keys = ctx.cache(cache).values
      const o = contractionOf(ctx.shape, layout, h)
      const out = plainContract('scores', [[ctx.get(q), keys]], o)
      const real = new Float64Array(out.length)
      const [qs, ks] = [toFloats(ctx.get(q), ring, q.scale.bits), toFloats(keys, ring, k.scale.bits)]
      everyPair(o, (at, a, b) => {
        for (let i = 0; i < h.headDim; i++) real[at] += qs[a + i] * ks[b + i]
      })
      if (fall)
        everyDistance(ctx.shape, layout, h.heads, (i, distance, head) => (real[i] -= fall(distance, head)))
      if (real.some((s) => s < range[0] || s >= range[1]))
        ctx.violation(id, 'an attention logit is outside its calibrated range')
      return reduce(out, ring)
    },
  }))
}
