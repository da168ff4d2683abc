import { program } from '../../../kernels/program.ts'
import type { PlanBuilder } from '../plan.ts'
import { type Lanes, reduce } from '../ring.ts'
import type { Opened, Unplaced } from '../values.ts'

/**
 * An opening in a narrower ring, without its offset: D - offset = x - a mod 2^ring, under the same mask. Same layout. No
 * message. Throws `RangeError` where the ring is wider than x's.
 */
export function narrowOpening(plan: PlanBuilder, x: Opened, ring: number): Opened {
  if (ring > x.ring) throw new RangeError(`narrowOpening: ${ring} bits of an opening in Z_2^${x.ring}`)
  const { step: _, ...rest } = x
  const type: Unplaced<Opened> = { ...rest, ring, offset: 0n, lift: 0 }
  const less = program<[Lanes]>((p) => [p.out(p.reduce(p.plus(p.lanes(), -x.offset), ring))])
  return plan.step<Opened>('narrowOpening', type, [x], () => ({
    run: (ctx) => ctx.kernels.evaluate(less, [ctx.get(x)], ctx.get(x).length)[0],
    oracle: (ctx) => reduce(ctx.get(x), ring),
  }))
}
