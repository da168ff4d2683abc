import { program } from '../../../kernels/program.ts'
import type { PlanBuilder } from '../plan.ts'
import { type Lanes, maskOf } from '../ring.ts'
import { rowsOf } from '../shape.ts'
import { type Role, type Share, share } from '../values.ts'

/**
 * Adds a bias row [width], already at x's scale, to every row of x, mod x's ring: the server's, or the sum of what the
 * parties in `by` hold. rows x width. No message.
 */
export function addBias(plan: PlanBuilder, x: Share, name: string, by: readonly Role[] = ['server']): Share {
  const { layout, width, ring } = x
  const m = maskOf(ring)
  const plus = (rows: number, v: Lanes, b: Lanes): Lanes => {
    const out = new BigUint64Array(v.length)
    for (let r = 0, i = 0; r < rows; r++)
      for (let j = 0; j < width; j++, i++) out[i] = BigInt.asUintN(64, v[i] + b[j]) & m
    return out
  }
  const sum = program<[Lanes]>((p) => [p.out(p.reduce(p.add(p.lanes(), p.columns(width, 0, 0)), ring))])
  return plan.step<Share>('addBias', share(x), [x], () => ({
    run: (ctx) =>
      by.includes(ctx.role)
        ? ctx.kernels.evaluate(sum, [ctx.get(x), ctx.bias(name)], ctx.get(x).length)[0]
        : ctx.get(x),
    oracle: (ctx) => plus(rowsOf(ctx.shape, layout), ctx.get(x), ctx.bias(name)),
  }))
}
