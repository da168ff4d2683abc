import { program } from '../../../kernels/program.ts'
import type { PlanBuilder } from '../plan.ts'
import { type Lanes, reduce } from '../ring.ts'
import type { Masked, Opened, Unplaced } from '../values.ts'
import { maskBits } from './parts/operands.ts'

/**
 * What the server knows of an opening already: D less the offset plus its own part of the mask is x - a_O, so the owner's
 * part serves as the mask of a product by a stationary mask. rows x width, mod 2^ring, no wider than x's. No message.
 * Throws `RangeError` where the ring is wider, or x was opened under the mask of no weight.
 */
export function known(plan: PlanBuilder, x: Opened, ring: number): Masked {
  const { layout, width, scale, lanes, stream } = x
  if (ring > x.ring) throw new RangeError(`known: ${ring} bits of an opening in Z_2^${x.ring}`)
  if (!x.isWide) throw new RangeError('known: the opening has no mask that a weight could multiply')
  const type: Unplaced<Masked> = { kind: 'masked', layout, width, ring, scale, lanes, stream }
  const masked = program<[Lanes]>((p) => {
    const value = p.add(p.lanes(), p.packed(maskBits(x)))
    return [p.out(p.reduce(p.plus(value, -x.offset), ring))]
  })
  return plan.step<Masked>('known', type, [x], () => ({
    needs: { owner: [] },
    run: (ctx) =>
      ctx.role === 'server'
        ? ctx.kernels.evaluate(masked, [ctx.get(x), ctx.maskWords(x)], ctx.get(x).length)[0]
        : new BigUint64Array(),
    oracle: (ctx) => reduce(ctx.get(x), ring),
  }))
}
