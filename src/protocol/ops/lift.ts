import type { PartyContext } from '../context.ts'
import type { Opened, PlanBuilder, Share } from '../plan.ts'
import { type Lanes, maskOf, reduce, signed } from '../ring.ts'
import { highSlot, signSlot } from './open.ts'

/** An opened value seen as x = A + w in the wide ring: A and B are public, w is shared. */
export interface Lifted {
  /** D - offset, mod 2^64. */
  readonly pub: Lanes
  /** B = 1 - top(D): 1 where the mask may have wrapped. */
  readonly wrap: Lanes
  /** This party's share of w = x - A, mod 2^lift. */
  readonly share: Lanes
}

/** The lifted view of an opened value: affine in dealt secrets, no message. */
export function lifted(ctx: PartyContext, x: Opened): Lifted {
  const D = ctx.get(x)
  const a = ctx.mask(x)
  const high = ctx.correlation(x.step, highSlot(x))
  const top = ctx.correlation(x.step, signSlot(x))
  const pub = new BigUint64Array(D.length)
  const wrap = new BigUint64Array(D.length)
  const share = new BigUint64Array(D.length)
  const half = 1n << BigInt(x.ring - 1)
  const scale = 1n << BigInt(x.ring)
  const m = maskOf(x.lift)
  const offset = x.offset
  for (let i = 0; i < D.length; i++) {
    pub[i] = BigInt.asUintN(64, D[i] - offset)
    const b = D[i] < half ? 1n : 0n
    wrap[i] = b
    const h = BigInt.asUintN(64, high[i] + BigInt.asUintN(64, b * top[i]))
    share[i] = BigInt.asUintN(64, a[i] + BigInt.asUintN(64, h * scale)) & m
  }
  return { pub, wrap, share }
}

/** Back to shares, in a wider ring than the opening's: what a public matrix multiplies. */
export function lift(plan: PlanBuilder, x: Opened, ring: number): Share {
  if (ring > x.lift) throw new RangeError(`lift: Z_2^${ring} is wider than the dealt Z_2^${x.lift}`)
  const { layout, width, frac } = x
  return plan.step<Share>('lift', { kind: 'share', layout, width, frac, ring }, [x], () => ({
    run(ctx) {
      const { pub, share } = lifted(ctx, x)
      const m = maskOf(ring)
      const server = ctx.role === 'server'
      for (let i = 0; i < share.length; i++)
        share[i] = BigInt.asUintN(64, share[i] + (server ? pub[i] : 0n)) & m
      return share
    },
    plain: (ctx) =>
      reduce(
        ctx.get(x).map((v) => BigInt.asUintN(64, signed(v, x.ring))),
        ring,
      ),
  }))
}
