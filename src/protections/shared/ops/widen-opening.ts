import { program } from '../../../kernels/program.ts'
import type { PlanBuilder } from '../plan.ts'
import { type Lanes, resized } from '../ring.ts'
import type { Opened, Unplaced } from '../values.ts'
import { raised, raisedOperands } from './parts/lifting.ts'
import { perRole } from './parts/operands.ts'

/**
 * An opened value's D in a wider ring: the parties open the high part of what lifting adds, h = high + B top, and have
 * D = x - a mod 2^ring for the same mask a, which was uniform in the wider ring from the start. Same layout; `ring`
 * less x's ring bits each way, one hop. Throws `RangeError` where the lift was not dealt.
 */
export function widenOpening(plan: PlanBuilder, x: Opened, ring: number): Opened {
  if (ring <= x.ring || ring > x.lift)
    throw new RangeError(`widen: Z_2^${ring} is not between Z_2^${x.ring} and the dealt Z_2^${x.lift}`)
  const { step: _, ...rest } = x
  const type: Unplaced<Opened> = { ...rest, ring, offset: 0n, lift: 0 }
  const { layout, width } = x
  const bits = ring - x.ring
  const half = perRole((role) =>
    program<[Uint8Array]>((p) => [p.pack(raised(p, x, role, p.lanes(64, x.ring)).raised, bits)]),
  )
  const sum = program<[Lanes]>((p) => {
    const low = p.plus(p.lanes(), -x.offset)
    const above = p.add(p.packed(bits), p.packed(bits))
    return [p.out(p.reduce(p.add(low, p.shl(above, x.ring)), ring))]
  })
  return plan.step<Opened>('widenOpening', type, [x], (id) => ({
    wire: { from: 'both', layout, width, bits },
    half: (ctx) =>
      ctx.kernels.evaluate(half(ctx.role), [ctx.get(x), ...raisedOperands(ctx, x)], ctx.get(x).length)[0],
    run: (ctx, received) =>
      ctx.kernels.evaluate(sum, [ctx.get(x), ctx.half(id), received as Uint8Array], ctx.get(x).length)[0],
    oracle: (ctx) => resized(ctx.get(x), x.ring, ring),
  }))
}
