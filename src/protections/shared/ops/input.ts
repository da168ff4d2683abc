import { program } from '../../../kernels/program.ts'
import type { PlanBuilder, Share } from '../plan.ts'
import type { Lanes } from '../ring.ts'
import { count } from '../shape.ts'

/** The owner shares its embeddings: it keeps a random share of its own making and sends the rest. rows x width, mod 2^ring. */
export function input(plan: PlanBuilder, type: { width: number; ring: number; frac: number }): Share {
  const { width, ring } = type
  const rest = program<[Uint8Array]>((p) => [p.pack(p.sub(p.lanes(), p.lanes()), ring)])
  const sent = program<[Lanes]>((p) => [p.out(p.packed(ring))])
  return plan.step<Share>('input', { kind: 'share', layout: 'row', ...type }, [], (id) => ({
    wire: { from: 'owner', layout: 'row', width, bits: ring },
    share: (ctx) =>
      ctx.evaluate(rest, [ctx.input(), ctx.ownerSecret(id, width, ring)], ctx.input().length)[0],
    run(ctx, received) {
      if (ctx.role === 'owner') return ctx.ownerSecret(id, width, ring)
      return received
        ? ctx.evaluate(sent, [received], count(ctx.shape, 'row', width))[0]
        : new BigUint64Array()
    },
    plain: (ctx) => ctx.input(),
  }))
}
