import { program } from '../../../kernels/program.ts'
import type { PlanBuilder, Released, Share } from '../plan.ts'
import type { Lanes } from '../ring.ts'

/** The server sends its share of the last row; the owner learns the value, and nobody else. 1 x width. */
export function release(plan: PlanBuilder, x: Share): Released {
  const { layout, width, ring, frac } = x
  const own = program<[Uint8Array]>((p) => [p.pack(p.lanes(), ring)])
  const sum = program<[Lanes]>((p) => [p.out(p.reduce(p.add(p.lanes(), p.packed(ring)), ring))])
  return plan.step<Released>('release', { kind: 'released', layout, width, ring, frac }, [x], () => ({
    wire: { from: 'server', layout, width, bits: ring },
    share: (ctx) => ctx.evaluate(own, [ctx.get(x)], ctx.get(x).length)[0],
    run: (ctx, received) =>
      received ? ctx.evaluate(sum, [ctx.get(x), received], ctx.get(x).length)[0] : new BigUint64Array(),
    plain: (ctx) => ctx.get(x),
  }))
}
