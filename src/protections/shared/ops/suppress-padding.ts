import type { PlanBuilder } from '../plan.ts'
import { type Lanes, maskOf } from '../ring.ts'
import { firstRow, type Shape, span, spanOf } from '../shape.ts'
import { type Share, share } from '../values.ts'

/**
 * Lowers the scores of padded positions by `amount`: pairs x heads, in x's ring. The owner does so on its own share, so
 * that where the padding is, and how much of it there is, stays with the owner. No message. The views throw
 * `RangeError` where other rows are marked than the pass has.
 */
export function suppressPadding(plan: PlanBuilder, x: Share, amount: bigint): Share {
  const { layout, width, ring } = x
  const m = maskOf(ring)
  const lower = (shape: Shape, scores: Lanes, padding: Uint8Array): Lanes => {
    const seen = spanOf(shape)
    if (padding.length !== seen)
      throw new RangeError(`suppressPadding: ${padding.length} rows are marked as padding or not, of ${seen}`)
    // All positions take one subtraction, so that how long it takes says nothing of the padding.
    const less = BigUint64Array.from(padding, (isPadding) => (isPadding ? amount : 0n))
    const out = new BigUint64Array(scores.length)
    for (let r = firstRow(shape, layout), i = 0; r < shape.rows; r++)
      for (let j = 0; j < span(shape, r); j++)
        for (let h = 0; h < width; h++, i++) out[i] = BigInt.asUintN(64, scores[i] - less[j]) & m
    return out
  }
  return plan.step<Share>('suppressPadding', share(x), [x], () => ({
    run: (ctx) => (ctx.role === 'owner' ? lower(ctx.shape, ctx.get(x), ctx.padding()) : ctx.get(x)),
    oracle: (ctx) => lower(ctx.shape, ctx.get(x), ctx.padding()),
  }))
}
