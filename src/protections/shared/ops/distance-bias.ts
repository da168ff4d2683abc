import type { PlanBuilder } from '../plan.ts'
import { type Lanes, maskOf } from '../ring.ts'
import { firstRow, type Layout, type Shape, span } from '../shape.ts'
import { type Share, share } from '../values.ts'

/** Calls `use` with the number, distance and head of every score of a pair layout. */
export function everyDistance(
  shape: Shape,
  layout: Layout,
  heads: number,
  use: (i: number, distance: number, head: number) => void,
): void {
  for (let r = firstRow(shape, layout), i = 0; r < shape.rows; r++)
    for (let distance = span(shape, r) - 1; distance >= 0; distance--)
      for (let head = 0; head < heads; head++) use(i++, distance, head)
}

/**
 * Attention with linear biases (Press et al., 2022): takes `amount(distance, head)` off every score, at the scores' own
 * scale; the distance of a row from itself is 0. Public, and the server's to subtract. pairs x heads, in x's ring. No
 * message.
 */
export function distanceBias(
  plan: PlanBuilder,
  x: Share,
  amount: (distance: number, head: number) => bigint,
): Share {
  const { layout, width, ring } = x
  const m = maskOf(ring)
  const lowered = (shape: Shape, scores: Lanes): Lanes => {
    const out = new BigUint64Array(scores.length)
    everyDistance(shape, layout, width, (i, distance, head) => {
      out[i] = BigInt.asUintN(64, scores[i] - amount(distance, head)) & m
    })
    return out
  }
  return plan.step<Share>('distanceBias', share(x), [x], () => ({
    run: (ctx) => (ctx.role === 'server' ? lowered(ctx.shape, ctx.get(x)) : ctx.get(x)),
    oracle: (ctx) => lowered(ctx.shape, ctx.get(x)),
  }))
}
