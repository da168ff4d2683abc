import type { PlanBuilder, Released, Share } from '../plan.ts'
import { add } from '../ring.ts'

/** The server sends its share of the last row; the owner learns the value, and nobody else. 1 x width. */
export function release(plan: PlanBuilder, x: Share): Released {
  const { layout, width, ring, frac } = x
  return plan.step<Released>('release', { kind: 'released', layout, width, ring, frac }, [x], () => ({
    wire: { from: 'server', layout, width, bits: ring },
    share: (ctx) => ctx.get(x),
    run: (ctx, received) => (received ? add(ctx.get(x), received, ring) : new BigUint64Array()),
    plain: (ctx) => ctx.get(x),
  }))
}
