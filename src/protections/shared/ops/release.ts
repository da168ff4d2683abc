import { program } from '../../../kernels/program.ts'
import type { PlanBuilder } from '../plan.ts'
import type { Lanes } from '../ring.ts'
import type { Released, Share, Unplaced } from '../values.ts'

/**
 * The server sends its share; the owner learns x, and nobody else. Same layout and ring; `ring` bits to the owner, one
 * hop.
 */
export function release(plan: PlanBuilder, x: Share): Released {
  const { layout, width, ring, scale, lanes } = x
  const type: Unplaced<Released> = { kind: 'released', layout, width, ring, scale, lanes }
  const own = program<[Uint8Array]>((p) => [p.pack(p.lanes(), ring)])
  const sum = program<[Lanes]>((p) => [p.out(p.reduce(p.add(p.lanes(), p.packed(ring)), ring))])
  return plan.step<Released>('release', type, [x], () => ({
    wire: { from: 'server', layout, width, bits: ring },
    half: (ctx) => ctx.kernels.evaluate(own, [ctx.get(x)], ctx.get(x).length)[0],
    run: (ctx, received) =>
      received
        ? ctx.kernels.evaluate(sum, [ctx.get(x), received], ctx.get(x).length)[0]
        : new BigUint64Array(),
    oracle: (ctx) => ctx.get(x),
  }))
}
