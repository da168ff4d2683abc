import type { PlanBuilder, Share } from '../plan.ts'
import { type Lanes, maskOf } from '../ring.ts'
import { firstRow, type Shape, span, spanOf } from '../shape.ts'

/**
 * Lowers the scores of padded positions by `amount`: pairs x heads, in x's ring. The owner does so on its own share, so
 * that where the padding is, and how much of it there is, stays with the owner. Local.
 */
export function shade(plan: PlanBuilder, x: Share, amount: bigint): Share {
  const { layout, width, ring, frac } = x
  const m = maskOf(ring)
  const lower = (shape: Shape, scores: Lanes, padding: Uint8Array): Lanes => {
    const seen = spanOf(shape)
    if (padding.length !== seen)
      throw new RangeError(`shade: ${padding.length} rows are marked as padding or not, of ${seen}`)
    // The same work for every position, so that how long it takes says nothing of the padding.
    const less = BigUint64Array.from(padding, (isPadding) => (isPadding ? amount : 0n))
    const out = new BigUint64Array(scores.length)
    for (let r = firstRow(shape, layout), i = 0; r < shape.rows; r++)
      for (let j = 0; j < span(shape, r); j++)
        for (let h = 0; h < width; h++, i++) out[i] = BigInt.asUintN(64, scores[i] - less[j]) & m
    return out
  }
  return plan.step<Share>('shade', { kind: 'share', layout, width, ring, frac }, [x], () => ({
    run: (ctx) => (ctx.role === 'owner' ? lower(ctx.shape, ctx.get(x), ctx.padding()) : ctx.get(x)),
    plain: (ctx) => lower(ctx.shape, ctx.get(x), ctx.padding()),
  }))
}
