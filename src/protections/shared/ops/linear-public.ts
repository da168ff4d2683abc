import type { ValueContext } from '../context.ts'
import type { PlanBuilder } from '../plan.ts'
import { timesScale } from '../scale.ts'
import { type Share, share } from '../values.ts'
import { type WeightRef, weightUse } from './parts/weight-ref.ts'

/** x·W for a public W: each party multiplies its own share. rows x n, in x's ring. No message, no dealer. */
export function linearPublic(plan: PlanBuilder, x: Share, weight: WeightRef): Share {
  const { layout, ring } = x
  const { name, n } = weight
  const type = { layout, width: n, ring, scale: timesScale(x.scale, weight.scale) }
  return plan.step<Share>('linearPublic', share(type), [x], (id) => {
    plan.weights.push(weightUse(weight, x))
    const product = { weight: name, ring, left: (ctx: ValueContext) => ctx.get(x) }
    return {
      products: { owner: [product], server: [product] },
      run: (ctx) => ctx.multiply(id, name),
      oracle: (ctx) => ctx.multiply(name, ctx.get(x), ring),
    }
  })
}
