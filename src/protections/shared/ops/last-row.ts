import type { PlanBuilder } from '../plan.ts'
import type { Lanes } from '../ring.ts'
import { type Share, share } from '../values.ts'

/** The last row of the pass alone: 1 x width, in x's ring. No message. */
export function lastRow(plan: PlanBuilder, x: Share): Share {
  const cut = (v: Lanes): Lanes => v.slice(v.length - x.width)
  return plan.step<Share>('lastRow', share({ ...x, layout: 'last' }), [x], () => ({
    run: (ctx) => cut(ctx.get(x)),
    oracle: (ctx) => cut(ctx.get(x)),
  }))
}
