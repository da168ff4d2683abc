import type { PlanBuilder } from '../plan.ts'
import { type Lanes, maskOf } from '../ring.ts'
import { finer } from '../scale.ts'
import { rowsOf } from '../shape.ts'
import { type Share, share } from '../values.ts'

/** Fraction bits that `centre` adds for rows of this width. */
export const centreBits = (width: number): number => Math.ceil(Math.log2(width)) + 8

/**
 * Every row less its mean, up to a public factor within 0.4 % of 1, which a norm takes out again: 1/width is rounded to
 * `centreBits` fraction bits. rows x width, in x's ring, whose fraction bits grow by as many. No message.
 */
export function centre(plan: PlanBuilder, x: Share): Share {
  const { layout, width, ring } = x
  const bits = centreBits(width)
  const part = BigInt(Math.round(2 ** bits / width))
  const whole = part * BigInt(width)
  const m = maskOf(ring)
  const less = (rows: number, v: Lanes): Lanes => {
    const out = new BigUint64Array(v.length)
    for (let r = 0, at = 0; r < rows; r++) {
      let sum = 0n
      for (let i = 0; i < width; i++) sum = BigInt.asUintN(64, sum + v[at + i])
      const mean = BigInt.asUintN(64, sum * part)
      for (let i = 0; i < width; i++, at++)
        out[at] = BigInt.asUintN(64, BigInt.asUintN(64, v[at] * whole) - mean) & m
    }
    return out
  }
  return plan.step<Share>('centre', share({ ...x, scale: finer(x.scale, bits) }), [x], () => ({
    run: (ctx) => less(rowsOf(ctx.shape, layout), ctx.get(x)),
    oracle: (ctx) => less(rowsOf(ctx.shape, layout), ctx.get(x)),
  }))
}
