import type { PlanBuilder, Share } from '../plan.ts'
import { sub } from '../ring.ts'

/** The owner shares its embeddings: it keeps a random share of its own making and sends the rest. rows x width, mod 2^ring. */
export function input(plan: PlanBuilder, type: { width: number; ring: number; frac: number }): Share {
  return plan.step<Share>('input', { kind: 'share', layout: 'row', ...type }, [], (id) => ({
    wire: { from: 'owner', layout: 'row', width: type.width, bits: type.ring },
    share: (ctx) => sub(ctx.input(), ctx.ownerSecret(id, type.width, type.ring), type.ring),
    run: (ctx, received) =>
      ctx.role === 'owner' ? ctx.ownerSecret(id, type.width, type.ring) : (received ?? new BigUint64Array()),
    plain: (ctx) => ctx.input(),
  }))
}
