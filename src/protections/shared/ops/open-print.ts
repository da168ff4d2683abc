import { program } from '../../../kernels/program.ts'
import type { PlanBuilder } from '../plan.ts'
import { MASK_STREAM, streamId } from '../prg.ts'
import type { Lanes } from '../ring.ts'
import type { Masked, Share, Unplaced } from '../values.ts'
import { maskBits } from './parts/operands.ts'

/**
 * Gives the server e = d - a for a mask a of the owner's that is this step's own: the owner sends d_O - a, a one-time pad. Same
 * layout and ring; `ring` bits to the server, one hop.
 */
export function openPrint(plan: PlanBuilder, d: Share): Masked {
  const { layout, width, ring, scale, lanes } = d
  const stream = streamId(plan.steps.length, MASK_STREAM)
  const type: Unplaced<Masked> = { kind: 'masked', layout, width, ring, scale, lanes, stream }
  return plan.step<Masked>('openPrint', type, [d], (id) => {
    const out: Masked = { ...type, step: id }
    const less = program<[Uint8Array]>((p) => [p.pack(p.sub(p.lanes(), p.packed(maskBits(out))), ring)])
    const sum = program<[Lanes]>((p) => [p.out(p.reduce(p.add(p.lanes(), p.packed(ring)), ring))])
    return {
      wire: { from: 'owner', layout, width, bits: ring },
      half: (ctx) => ctx.kernels.evaluate(less, [ctx.get(d), ctx.maskWords(out)], ctx.get(d).length)[0],
      run: (ctx, received) =>
        received
          ? ctx.kernels.evaluate(sum, [ctx.get(d), received], ctx.get(d).length)[0]
          : new BigUint64Array(),
      oracle: (ctx) => ctx.get(d),
    }
  })
}
