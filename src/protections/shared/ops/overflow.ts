import { program } from '../../../kernels/program.ts'
import type { PlanBuilder } from '../plan.ts'
import { type Lanes, maskOf } from '../ring.ts'
import { type Opened, type Share, share } from '../values.ts'
import { lifted, liftedOperands } from './parts/lifting.ts'
import { perRole } from './parts/operands.ts'
import { publicOf } from './parts/public-of.ts'

/**
 * What lifting an opened value gets wrong: x less the lift of what was opened of it, in the smaller of x's ring and the dealt
 * lift's. Zero for |x| < 2^(bits-2), which is what an opening of so many bits promises, and wherever else the lift happens to
 * be right; a multiple of 2^bits where the value did not fit. Same layout. No message, and nothing more is dealt. Throws
 * `RangeError` where x's ring has no bits above the opening's, so that nothing could show.
 */
export function overflow(plan: PlanBuilder, x: Share, opened: Opened): Share {
  const ring = Math.min(x.ring, opened.lift)
  const bits = opened.ring
  if (ring <= bits)
    throw new RangeError(`overflow: nothing of Z_2^${x.ring} is above an opening of ${bits} bits`)
  const rest = perRole((role) =>
    program<[Lanes]>((p) => {
      const { pub, share } = lifted(p, opened, role)
      const own = role === 'server' ? p.add(pub, share) : share
      return [p.out(p.reduce(p.sub(p.lanes(), own), ring))]
    }),
  )
  const m = maskOf(ring)
  return plan.step<Share>('overflow', share({ ...x, ring }), [x, opened], () => ({
    run: (ctx) =>
      ctx.kernels.evaluate(
        rest(ctx.role),
        [...liftedOperands(ctx, opened), ctx.get(x)],
        ctx.get(x).length,
      )[0],
    oracle(ctx) {
      const D = publicOf(ctx, opened)
      const a = ctx.mask(opened)
      return ctx.get(x).map((v, i) => {
        const rho = BigInt.asUintN(bits, -a[i])
        const wraps = D[i] >> BigInt(bits - 1) === 0n && rho >> BigInt(bits - 1) === 1n
        const lift = D[i] - opened.offset - rho + (wraps ? 1n << BigInt(bits) : 0n)
        return BigInt.asUintN(64, v - lift) & m
      })
    },
  }))
}
