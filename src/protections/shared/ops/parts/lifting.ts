/** An opened value in a wider ring than its opening's, from what the dealer added for that. */
import {
  type Operand,
  type Program,
  type ProgramBuilder,
  program,
  type Value,
} from '../../../../kernels/program.ts'
import type { PartyContext } from '../../context.ts'
import { sharedBits } from '../../correlations/correlations.ts'
import type { Slot } from '../../dealt.ts'
import type { Lanes } from '../../ring.ts'
import type { Opened, Role } from '../../values.ts'
import { maskBits, perRole } from './operands.ts'

/** What reducing -a mod 2^ring drops of it: floor((-a mod 2^lift) / 2^ring), an element for each of x's. */
export const highSlot = ({ layout, width, lift, ring }: Opened): Slot => ({
  name: 'high',
  layout,
  width,
  bits: lift - ring,
})

/** The top bit of rho = -a mod 2^ring, an element for each of x's. */
export const signSlot = ({ layout, width, lift, ring }: Opened): Slot => ({
  name: 'sign',
  layout,
  width,
  bits: lift - ring,
})

/** An opened value seen as x = A + w in the wide ring: A and B are public, w is shared. Affine in dealt secrets. */
export interface Lifted<T> {
  /** A = D - offset, mod 2^64. */
  readonly pub: T
  /** B = 1 - top(D): 1 where the mask may have wrapped. */
  readonly wrap: T
  /** This party's share of w = x - A, right mod 2^lift. */
  readonly share: T
}

/** This party's share of high + B top, which lifting adds above D's bits: operands as `raisedOperands` gives them. */
export function raised(
  p: ProgramBuilder,
  x: Opened,
  role: Role,
  D: Value,
): { raised: Value; wrap: Value; sign: Value } {
  const high = p.packed(sharedBits(role, highSlot(x)))
  const sign = p.packed(sharedBits(role, signSlot(x)))
  const wrap = p.from(1n, p.shr(D, x.ring - 1))
  return { raised: p.add(high, p.mul(wrap, sign)), wrap, sign }
}

export const raisedOperands = (ctx: PartyContext, x: Opened): Operand[] => [
  ctx.packed(x.step, highSlot(x)),
  ctx.packed(x.step, signSlot(x)),
]

/** The lifted view within a program, whose next operands are those of `liftedOperands`. */
export function lifted(p: ProgramBuilder, x: Opened, role: Role): Lifted<Value> & { sign: Value } {
  const D = p.lanes(64, x.ring)
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
  const [pub, wrap, share] = ctx.kernels.evaluate(known(ctx.role), liftedOperands(ctx, x), ctx.get(x).length)
  return { pub, wrap, share }
}
