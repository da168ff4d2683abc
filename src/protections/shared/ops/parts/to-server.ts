import { program } from '../../../../kernels/program.ts'
import type { PlanBuilder } from '../../plan.ts'
import { type Lanes, reduce } from '../../ring.ts'
import type { Masked, Share, Unplaced } from '../../values.ts'
import { maskBits } from './operands.ts'

/**
 * A step `op` that gives the server e = x - a for a mask a of the owner's, from a stream: the owner sends x_O - a, a one-time pad.
 * x's layout, mod 2^ring, no wider than x's; `ring` bits to the server, one hop.
 */
export function toServer(plan: PlanBuilder, op: string, x: Share, stream: number, ring = x.ring): Masked {
  const { layout, width, scale, lanes } = x
  const type: Unplaced<Masked> = { kind: 'masked', layout, width, ring, scale, lanes, stream }
  return plan.step<Masked>(op, type, [x], (id) => {
    const out: Masked = { ...type, step: id }
    const less = program<[Uint8Array]>((p) => [p.pack(p.sub(p.lanes(), p.packed(maskBits(out))), ring)])
    const sum = program<[Lanes]>((p) => [p.out(p.reduce(p.add(p.lanes(), p.packed(ring)), ring))])
    return {
      wire: { from: 'owner', layout, width, bits: ring },
      half: (ctx) => ctx.kernels.evaluate(less, [ctx.get(x), ctx.maskWords(out)], ctx.get(x).length)[0],
      run: (ctx, received) =>
        received
          ? ctx.kernels.evaluate(sum, [ctx.get(x), received], ctx.get(x).length)[0]
          : new BigUint64Array(),
      oracle: (ctx) => (ring < x.ring ? reduce(ctx.get(x), ring) : ctx.get(x)),
    }
  })
}
