import { program } from '../../../kernels/program.ts'
import type { PlanBuilder } from '../plan.ts'
import { type Lanes, maskOf } from '../ring.ts'
import { type Share, share } from '../values.ts'
import { perRole } from './parts/operands.ts'

/**
 * x plus a public constant at x's scale, mod 2^k, k no wider than x's ring: the server adds it. Same layout. No
 * message.
 */
export function addConstant(plan: PlanBuilder, x: Share, constant: bigint, k = x.ring): Share {
  const c = BigInt.asUintN(64, constant)
  const m = maskOf(k)
  const sum = perRole((role) =>
    program<[Lanes]>((p) => [p.out(p.reduce(p.plus(p.lanes(), role === 'server' ? c : 0n), k))]),
  )
  return plan.step<Share>('addConstant', share({ ...x, ring: k }), [x], () => ({
    run: (ctx) => ctx.kernels.evaluate(sum(ctx.role), [ctx.get(x)], ctx.get(x).length)[0],
    oracle: (ctx) => ctx.get(x).map((v) => BigInt.asUintN(64, v + c) & m),
  }))
}
