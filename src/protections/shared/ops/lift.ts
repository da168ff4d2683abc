import {
  type Operand,
  type Program,
  type ProgramBuilder,
  program,
  type Value,
} from '../../../kernels/program.ts'
import type { PartyContext } from '../context.ts'
import { sharedBits } from '../correlations/correlations.ts'
import type { Opened, PlanBuilder, Role, Share } from '../plan.ts'
import { type Lanes, reduce, signed } from '../ring.ts'
import { highSlot, signSlot } from './open.ts'
import { maskBits, perRole } from './operands.ts'

/** An opened value seen as x = A + w in the wide ring: A and B are public, w is shared. Affine in dealt secrets. */
export interface Lifted<T> {
  /** A = D - offset, mod 2^64. */
  readonly pub: T
  /** B = 1 - top(D): 1 where the mask may have wrapped. */
  readonly wrap: T
  /** This party's share of w = x - A, right mod 2^lift. */
  readonly share: T
}

/** B = 1 - top(D), from D. */
export const wrapOf = (p: ProgramBuilder, x: Opened, D: Value): Value => p.from(1n, p.shr(D, x.ring - 1))

/** This party's share of high + B top, which lifting adds above D's bits: operands as `raisedOperands` gives them. */
export function raised(
  p: ProgramBuilder,
  x: Opened,
  role: Role,
  D: Value,
): { raised: Value; wrap: Value; sign: Value } {
  const high = p.packed(sharedBits(role, highSlot(x)))
  const sign = p.packed(sharedBits(role, signSlot(x)))
  const wrap = wrapOf(p, x, D)
  return { raised: p.add(high, p.mul(wrap, sign)), wrap, sign }
}

export const raisedOperands = (ctx: PartyContext, x: Opened): Operand[] => [
  ctx.packed(x.step, highSlot(x)),
  ctx.packed(x.step, signSlot(x)),
]

/** The lifted view within a program, whose next operands are those of `liftedOperands`. */
export function lifted(p: ProgramBuilder, x: Opened, role: Role): Lifted<Value> & { sign: Value } {
  const D = p.lanes()
  const a = p.packed(maskBits(x))
  const { raised: h, wrap, sign } = raised(p, x, role, D)
  return { pub: p.plus(D, -x.offset), wrap, share: p.add(a, p.shl(h, x.ring)), sign }
}

export const liftedOperands = (ctx: PartyContext, x: Opened): Operand[] => [
  ctx.get(x),
  ctx.maskWords(x),
  ...raisedOperands(ctx, x),
]

const views = new WeakMap<Opened, (role: Role) => Program<[Lanes, Lanes, Lanes]>>()

/** The lifted view of an opened value as arrays. */
export function liftedLanes(ctx: PartyContext, x: Opened): Lifted<Lanes> {
  const known =
    views.get(x) ??
    perRole((role) =>
      program<[Lanes, Lanes, Lanes]>((p) => {
        const { pub, wrap, share } = lifted(p, x, role)
        return [p.out(pub), p.out(wrap), p.out(share)]
      }),
    )
  views.set(x, known)
  const [pub, wrap, share] = ctx.evaluate(known(ctx.role), liftedOperands(ctx, x), ctx.get(x).length)
  return { pub, wrap, share }
}

/** Back to shares, in a wider ring than the opening's: what a public matrix multiplies. */
export function lift(plan: PlanBuilder, x: Opened, ring: number): Share {
  if (ring > x.lift) throw new RangeError(`lift: Z_2^${ring} is wider than the dealt Z_2^${x.lift}`)
  const { layout, width, frac } = x
  const whole = perRole((role) =>
    program<[Lanes]>((p) => {
      const { pub, share } = lifted(p, x, role)
      return [p.out(p.reduce(role === 'server' ? p.add(pub, share) : share, ring))]
    }),
  )
  return plan.step<Share>('lift', { kind: 'share', layout, width, frac, ring }, [x], () => ({
    run: (ctx) => ctx.evaluate(whole(ctx.role), liftedOperands(ctx, x), ctx.get(x).length)[0],
    plain: (ctx) =>
      reduce(
        ctx.get(x).map((v) => BigInt.asUintN(64, signed(v, x.ring))),
        ring,
      ),
  }))
}
