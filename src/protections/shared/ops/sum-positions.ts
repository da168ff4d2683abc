import type { PlanBuilder } from '../plan.ts'
import { type Lanes, maskOf } from '../ring.ts'
import { count, firstRow, rowLayout, type Shape, span } from '../shape.ts'
import { type Share, share } from '../values.ts'

/** The sum of a pair value over the positions that each row attends to: rows x width, mod x's ring. No message. */
export function sumPositions(plan: PlanBuilder, x: Share): Share {
  const { width } = x
  const layout = rowLayout(x.layout)
  const m = maskOf(x.ring)
  const sum = (shape: Shape, v: Lanes): Lanes => {
    const out = new BigUint64Array(count(shape, layout, width))
    const first = firstRow(shape, layout)
    for (let r = first, at = 0; r < shape.rows; r++)
      for (let j = span(shape, r); j > 0; j--)
        for (let h = 0; h < width; h++, at++) {
          const to = (r - first) * width + h
          out[to] = BigInt.asUintN(64, out[to] + v[at]) & m
        }
    return out
  }
  return plan.step<Share>('sumPositions', share({ ...x, layout }), [x], () => ({
    run: (ctx) => sum(ctx.shape, ctx.get(x)),
    oracle: (ctx) => sum(ctx.shape, ctx.get(x)),
  }))
}
