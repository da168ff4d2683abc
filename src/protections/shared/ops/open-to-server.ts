import { program } from '../../../kernels/program.ts'
import type { PlanBuilder } from '../plan.ts'
import { weightMaskStream } from '../prg.ts'
import { type Lanes, reduce } from '../ring.ts'
import type { Masked, Share, Unplaced } from '../values.ts'
import { maskBits } from './parts/operands.ts'

/**
 * Gives the server e = x - a for the owner's mask a of a product by a stationary mask: the owner sends x_O - a, a
 * one-time pad. rows x width, mod 2^ring, no wider than x's; `ring` bits to the server, one hop. `weight`: the index of
 * the weight whose product has the mask. Throws `RangeError` where the ring is wider than x's.
 */
export function openToServer(plan: PlanBuilder, x: Share, weight: number, ring = x.ring): Masked {
  const { layout, width, scale, lanes } = x
  if (ring > x.ring) throw new RangeError(`openToServer: ${ring} bits of a value in Z_2^${x.ring}`)
  const stream = weightMaskStream(weight)
  const type: Unplaced<Masked> = { kind: 'masked', layout, width, ring, scale, lanes, stream }
  return plan.step<Masked>('openToServer', type, [x], (id) => {
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
