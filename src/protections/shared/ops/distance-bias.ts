import type { PlanBuilder } from '../plan.ts'
import { type Lanes, maskOf } from '../ring.ts'
import { firstRow, type Shape, span } from '../shape.ts'
import { type Share, share } from '../values.ts'

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
    for (let r = firstRow(shape, layout), i = 0; r < shape.rows; r++)
      for (let j = span(shape, r) - 1; j >= 0; j--)
        for (let h = 0; h < width; h++, i++) out[i] = BigInt.asUintN(64, scores[i] - amount(j, h)) & m
    return out
  }
  return plan.step<Share>('distanceBias', share(x), [x], () => ({
    run: (ctx) => (ctx.role === 'server' ? lowered(ctx.shape, ctx.get(x)) : ctx.get(x)),
    oracle: (ctx) => lowered(ctx.shape, ctx.get(x)),
  }))
}
