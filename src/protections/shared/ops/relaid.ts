import type { ValueContext } from '../context.ts'
import type { PlanBuilder } from '../plan.ts'
import type { Lanes } from '../ring.ts'
import { count, type Layout } from '../shape.ts'
import { type Share, share } from '../values.ts'

/**
 * x's elements in another layout: of pairs of rows and positions, which are as many for every row, as columns of the
 * rows, and back. In x's ring. No message. The views throw `RangeError` where a pass has other numbers of them.
 */
export function relaid(plan: PlanBuilder, x: Share, layout: Layout, width: number): Share {
  const same = (ctx: ValueContext): Lanes => {
    const lanes = ctx.get(x)
    const want = count(ctx.shape, layout, width)
    if (lanes.length !== want) throw new RangeError(`relaid: ${lanes.length} elements are not ${want}`)
    return lanes
  }
  return plan.step<Share>('relaid', share({ ...x, layout, width }), [x], () => ({ run: same, oracle: same }))
}
