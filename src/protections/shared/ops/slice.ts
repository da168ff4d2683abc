import type { PlanBuilder } from '../plan.ts'
import { type Lanes, reduce } from '../ring.ts'
import { rowsOf, type Shape } from '../shape.ts'
import { type Share, share } from '../values.ts'

/** Columns from .. from + width - 1 of every row, mod 2^k, k no wider than x's ring: rows x width. No message. */
export function slice(plan: PlanBuilder, x: Share, from: number, width: number, k = x.ring): Share {
  const cut = (shape: Shape, v: Lanes): Lanes => {
    const rows = rowsOf(shape, x.layout)
    const out = new BigUint64Array(rows * width)
    for (let r = 0; r < rows; r++)
      out.set(v.subarray(r * x.width + from, r * x.width + from + width), r * width)
    return k < x.ring ? reduce(out, k) : out
  }
  return plan.step<Share>('slice', share({ ...x, width, ring: k }), [x], () => ({
    run: (ctx) => cut(ctx.shape, ctx.get(x)),
    oracle: (ctx) => cut(ctx.shape, ctx.get(x)),
  }))
}
