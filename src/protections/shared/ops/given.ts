import type { PlanBuilder } from '../plan.ts'
import { count } from '../shape.ts'
import { type Share, type ShareType, share } from '../values.ts'

/**
 * The owner's input, all of it the owner's own share: the server's is zero. Not a bit leaves the owner before something
 * else masks it. rows x width, mod 2^ring. No message.
 */
export function given(plan: PlanBuilder, type: Omit<ShareType, 'layout'>): Share {
  return plan.step<Share>('given', share({ layout: 'row', ...type }), [], () => ({
    isInput: true,
    run: (ctx) =>
      ctx.role === 'owner' ? ctx.input() : new BigUint64Array(count(ctx.shape, 'row', type.width)),
    oracle: (ctx) => ctx.input(),
  }))
}
