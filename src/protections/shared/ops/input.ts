import { program } from '../../../kernels/program.ts'
import type { PlanBuilder } from '../plan.ts'
import type { Lanes } from '../ring.ts'
import { count } from '../shape.ts'
import { type Share, type ShareType, share } from '../values.ts'

/**
 * The owner shares its input: it keeps a random share of its own making, which the dealer cannot know, and sends the
 * rest. rows x width, mod 2^ring; `ring` bits to the server, one hop.
 */
export function input(plan: PlanBuilder, type: Omit<ShareType, 'layout'>): Share {
  const { width, ring } = type
  const rest = program<[Uint8Array]>((p) => [p.pack(p.sub(p.lanes(), p.lanes()), ring)])
  const sent = program<[Lanes]>((p) => [p.out(p.packed(ring))])
  return plan.step<Share>('input', share({ layout: 'row', ...type }), [], (id) => ({
    isInput: true,
    wire: { from: 'owner', layout: 'row', width, bits: ring },
    half: (ctx) =>
      ctx.kernels.evaluate(rest, [ctx.input(), ctx.ownerSecret(id, width, ring)], ctx.input().length)[0],
    run(ctx, received) {
      if (ctx.role === 'owner') return ctx.ownerSecret(id, width, ring)
      return received
        ? ctx.kernels.evaluate(sent, [received], count(ctx.shape, 'row', width))[0]
        : new BigUint64Array()
    },
    oracle: (ctx) => ctx.input(),
  }))
}
