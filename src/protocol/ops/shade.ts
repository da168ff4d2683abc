import { firstRow, type PlanBuilder, type Shape, type Share, span } from '../plan.ts'
import { type Lanes, maskOf } from '../ring.ts'

/**
 * Lowers the scores of padded positions by `amount`: pairs x heads, in x's ring. The owner does so on its own share, so
 * that where the padding is, and how much of it there is, stays with the owner. Local.
 */
export function shade(plan: PlanBuilder, x: Share, amount: bigint): Share {
  const { layout, width, ring, frac } = x
  const m = maskOf(ring)
  const lower = (shape: Shape, scores: Lanes, padding: Uint8Array): Lanes => {
    if (padding.length !== shape.rows)
      throw new RangeError(`shade: ${padding.length} rows are marked as padding or not, of ${shape.rows}`)
    const out = scores.slice()
    for (let r = firstRow(shape, layout), at = 0; r < shape.rows; r++)
      for (let j = 0; j < span(shape, r); j++, at += width) {
        if (padding[j] === 0) continue
        for (let i = at; i < at + width; i++) out[i] = BigInt.asUintN(64, out[i] - amount) & m
      }
    return out
  }
  return plan.step<Share>('shade', { kind: 'share', layout, width, ring, frac }, [x], () => ({
    run: (ctx) => (ctx.role === 'owner' ? lower(ctx.shape, ctx.get(x), ctx.padding()) : ctx.get(x)),
    plain: (ctx) => lower(ctx.shape, ctx.get(x), ctx.padding()),
  }))
}
