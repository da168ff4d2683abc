import { program } from '../../../kernels/program.ts'
import type { PlanBuilder } from '../plan.ts'
import type { Lanes } from '../ring.ts'
import { finer } from '../scale.ts'
import { type Share, share } from '../values.ts'

/**
 * 2^s x at 2^-s of its scale: the same reals with s fraction bits more. The ring grows with them, for each party's share
 * loses nothing: same layout, mod 2^(ring + s). No message. Throws `RangeError` beyond 64 bits.
 */
export function shiftUp(plan: PlanBuilder, x: Share, s: number): Share {
  const ring = x.ring + s
  if (s < 0 || ring > 64) throw new RangeError(`shiftUp: Z_2^${x.ring} shifted by ${s} bits`)
  const shifted = program<[Lanes]>((p) => [p.out(p.shl(p.lanes(), s))])
  return plan.step<Share>('shiftUp', share({ ...x, ring, scale: finer(x.scale, s) }), [x], () => ({
    run: (ctx) => ctx.kernels.evaluate(shifted, [ctx.get(x)], ctx.get(x).length)[0],
    oracle: (ctx) => ctx.get(x).map((v) => v << BigInt(s)),
  }))
}
