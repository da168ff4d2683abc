import type { PlanBuilder } from '../plan.ts'
import { fraction } from '../scale.ts'
import { count, type Shape } from '../shape.ts'
import { type Share, share } from '../values.ts'

/**
 * What each position of a whole text counts for in the mean of its rows: one over their number with `frac` fraction bits,
 * and nothing for padding. 1 x positions for the last row, in x's ring. The weights are the owner's own share, so that where the
 * padding is, and how much of it there is, stays with the owner; rounded so that they add up to one. No message. The views throw
 * `RangeError` where other rows are marked than the pass has.
 */
export function meanWeights(plan: PlanBuilder, x: Share, frac: number): Share {
  const type = share({ layout: 'lastPair' as const, width: 1, ring: x.ring, scale: fraction(frac) })
  const weights = (shape: Shape, padding: Uint8Array): BigUint64Array => {
    const out = new BigUint64Array(count(shape, 'lastPair', 1))
    if (out.length === 0) return out
    if (padding.length !== out.length)
      throw new RangeError(
        `meanWeights: ${padding.length} rows are marked as padding or not, of ${out.length}`,
      )
    const rows = padding.reduce((sum, isPadding) => sum + 1 - isPadding, 0)
    const whole = 2 ** frac
    for (let r = 0, seen = 0; r < out.length; r++) {
      const before = Math.floor((whole * seen) / rows)
      seen += 1 - padding[r]
      out[r] = BigInt(Math.floor((whole * seen) / rows) - before)
    }
    return out
  }
  return plan.step<Share>('meanWeights', type, [x], () => ({
    run: (ctx) =>
      ctx.role === 'owner'
        ? weights(ctx.shape, ctx.padding())
        : new BigUint64Array(count(ctx.shape, 'lastPair', 1)),
    oracle: (ctx) => weights(ctx.shape, ctx.padding()),
  }))
}
