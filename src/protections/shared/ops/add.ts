import { program } from '../../../kernels/program.ts'
import type { PlanBuilder } from '../plan.ts'
import type { Lanes } from '../ring.ts'
import * as ring from '../ring.ts'
import { isSameScale } from '../scale.ts'
import { type Share, share } from '../values.ts'

/**
 * x + y, rows x width, in the smaller of the two rings: each party adds its shares. No message. Throws `RangeError`
 * where scale or width differ.
 */
export function add(plan: PlanBuilder, x: Share, y: Share): Share {
  const k = Math.min(x.ring, y.ring)
  if (!isSameScale(x.scale, y.scale) || y.width !== x.width)
    throw new RangeError('add: operands differ in scale or width')
  const sum = program<[Lanes]>((p) => [p.out(p.reduce(p.add(p.lanes(), p.lanes()), k))])
  return plan.step<Share>('add', share({ ...x, ring: k }), [x, y], () => ({
    run: (ctx) => ctx.kernels.evaluate(sum, [ctx.get(x), ctx.get(y)], ctx.get(x).length)[0],
    oracle: (ctx) => ring.add(ctx.get(x), ctx.get(y), k),
  }))
}
