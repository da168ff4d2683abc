import { program } from '../../../kernels/program.ts'
import type { PlanBuilder } from '../plan.ts'
import { type Lanes, resized } from '../ring.ts'
import { count } from '../shape.ts'
import type { Masked, Opened, Unplaced } from '../values.ts'
import { lifted, liftedOperands, raised, raisedOperands } from './parts/lifting.ts'

/**
 * `openToServer` of a value that was opened in a narrow ring: D already gives the low bits of x - a_O, so the owner
 * sends only what its lifted share has above them, its share of high + B top. The mask is the opening's own; it stays
 * uniform in the wide ring. rows x width, mod 2^ring; `ring` less x's ring bits to the server, one hop.
 */
export function openLiftedToServer(plan: PlanBuilder, x: Opened, ring: number): Masked {
  const { layout, width, scale, lanes, stream } = x
  const bits = ring - x.ring
  const type: Unplaced<Masked> = { kind: 'masked', layout, width, ring, scale, lanes, stream }
  const above = program<[Uint8Array]>((p) => [p.pack(raised(p, x, 'owner', p.lanes()).raised, bits)])
  const whole = program<[Lanes]>((p) => {
    const { pub, share } = lifted(p, x, 'server')
    return [p.out(p.reduce(p.add(p.add(pub, share), p.shl(p.packed(bits), x.ring)), ring))]
  })
  return plan.step<Masked>('openLiftedToServer', type, [x], () => ({
    wire: { from: 'owner', layout, width, bits },
    half: (ctx) =>
      ctx.kernels.evaluate(
        above,
        [ctx.get(x), ...raisedOperands(ctx, x)],
        count(ctx.shape, layout, width),
      )[0],
    run: (ctx, received) =>
      received
        ? ctx.kernels.evaluate(
            whole,
            [...liftedOperands(ctx, x), received],
            count(ctx.shape, layout, width),
          )[0]
        : new BigUint64Array(),
    oracle: (ctx) => resized(ctx.get(x), x.ring, ring),
  }))
}
