import type { PlanBuilder } from '../plan.ts'
import type { Lanes } from '../ring.ts'
import type { Masked, Opened, Share, Unplaced } from '../values.ts'

/**
 * The last row of the pass alone, held as all rows are: 1 x width, in x's ring. No message. Of an opening that is lifted
 * there is no such row, because what the dealer gave for that is of all rows: throws `RangeError`.
 */
export function lastRow<V extends Share | Masked | Opened>(plan: PlanBuilder, x: V): V {
  if (x.kind === 'opened' && x.lift > 0) throw new RangeError('lastRow: of a value that is to be lifted')
  const { step: _, ...type } = { ...x, layout: 'last' as const }
  // The owner has nothing of what is masked.
  const cut = (v: Lanes): Lanes => v.slice(Math.max(0, v.length - x.width))
  return plan.step<V>('lastRow', type as Unplaced<V>, [x], () => ({
    run: (ctx) => cut(ctx.get(x) as Lanes) as Lanes<V['lanes']>,
    oracle: (ctx) => cut(ctx.get(x) as Lanes) as Lanes<V['lanes']>,
  }))
}
