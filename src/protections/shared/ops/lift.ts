import { program } from '../../../kernels/program.ts'
import type { PlanBuilder } from '../plan.ts'
import { type Lanes, resized } from '../ring.ts'
import { type Opened, type Share, share } from '../values.ts'
import { lifted, liftedOperands } from './parts/lifting.ts'
import { perRole } from './parts/operands.ts'

/**
 * An opened value back as shares, in a wider ring than the opening's: what a public matrix multiplies. Same layout. No
 * message. Throws `RangeError` where the lift was not dealt.
 */
export function lift(plan: PlanBuilder, x: Opened, ring: number): Share {
  if (ring > x.lift) throw new RangeError(`lift: Z_2^${ring} is wider than the dealt Z_2^${x.lift}`)
  const whole = perRole((role) =>
    program<[Lanes]>((p) => {
      const { pub, share } = lifted(p, x, role)
      return [p.out(p.reduce(role === 'server' ? p.add(pub, share) : share, ring))]
    }),
  )
  return plan.step<Share>('lift', share({ ...x, ring }), [x], () => ({
    run: (ctx) => ctx.kernels.evaluate(whole(ctx.role), liftedOperands(ctx, x), ctx.get(x).length)[0],
    oracle: (ctx) => resized(ctx.get(x), x.ring, ring),
  }))
}
