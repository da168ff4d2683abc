import type { Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { type Lanes, maskOf } from '../ring.ts'
import { type Masked, type Share, share } from '../values.ts'

/**
 * d·r for e = d - a that the server has, and an r of its own mask's keystream, which the owner has not: e·r + a·r, of which the
 * dealer deals a·r. Same layout and ring. No message.
 */
export function concealed(plan: PlanBuilder, e: Masked): Share {
  const { layout, width, ring, scale } = e
  const slot: Slot = { name: 'a·r', layout, width, bits: ring }
  const m = maskOf(ring)
  const times = (a: Lanes, b: Lanes): Lanes => a.map((v, i) => BigInt.asUintN(64, v * b[i]) & m)
  return plan.step<Share>('concealed', share({ layout, width, ring, scale }), [e], (id) => ({
    needs: { owner: [] },
    slots: [slot],
    deal: (ctx) => [times(ctx.ownerMask(e), ctx.serverMask(e))],
    run(ctx) {
      const dealt = ctx.correlation(id, slot)
      if (ctx.role === 'owner') return dealt
      return times(ctx.get(e), ctx.mask(e)).map((v, i) => (v + dealt[i]) & m)
    },
    oracle: (ctx) => times(ctx.get(e), ctx.serverMask(e)),
  }))
}
