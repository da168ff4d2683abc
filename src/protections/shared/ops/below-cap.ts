import type { PlanBuilder } from '../plan.ts'
import { type Lanes, maskOf } from '../ring.ts'
import { firstRow, type Shape, span } from '../shape.ts'
import { type Share, share } from '../values.ts'

/**
 * How far every score lies below its row's cap: z = s - 2^shift (level + 1) - offset, pairs x heads, mod 2^ring: s
 * comes at z's scale. Local.
 */
export function belowCap(
  plan: PlanBuilder,
  s: Share,
  level: Share,
  o: { shift: number; offset: bigint },
): Share {
  const { width, ring, layout } = s
  const m = maskOf(ring)
  const unit = 1n << BigInt(o.shift)
  const subtract = (shape: Shape, scores: Lanes, caps: Lanes, constant: bigint): Lanes => {
    const out = new BigUint64Array(scores.length)
    const first = firstRow(shape, layout)
    for (let r = first, at = 0; r < shape.rows; r++)
      for (let j = span(shape, r); j > 0; j--)
        for (let h = 0; h < width; h++, at++) {
          const cap = BigInt.asUintN(64, BigInt.asUintN(64, caps[(r - first) * width + h] * unit) + constant)
          out[at] = BigInt.asUintN(64, scores[at] - cap) & m
        }
    return out
  }
  const constant = BigInt.asUintN(64, unit + o.offset)
  return plan.step<Share>('belowCap', share(s), [s, level], () => ({
    run: (ctx) => subtract(ctx.shape, ctx.get(s), ctx.get(level), ctx.role === 'server' ? constant : 0n),
    oracle: (ctx) => subtract(ctx.shape, ctx.get(s), ctx.get(level), constant),
  }))
}
