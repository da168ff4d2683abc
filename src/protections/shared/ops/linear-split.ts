import type { Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { add } from '../ring.ts'
import { timesScale } from '../scale.ts'
import { type Opened, type Share, share } from '../values.ts'
import { type WeightRef, weightUse } from './parts/weight-ref.ts'

/**
 * The second piece that server and dealer each hold of a split weight, besides beta: G + beta at the server, F at the
 * dealer. The owner holds one, F + G.
 */
export const companion = (weight: string): string => `${weight}'`

/**
 * x·W for W = F + G + beta of which nobody has all: F and G come from seeds, F's known to owner and dealer, G's to
 * owner and server; beta is known to server and dealer. With D = x - a, a = a_O + a_M,
 *
 *   x·W = (D + a_O)·(F + G)  +  D·beta + a_M·(G + beta)  +  a_O·beta + a_M·F
 *
 * of which the owner computes the first term, the server the next two, and the dealer deals the last two as one
 * correlation. rows x n, mod 2^ring, no wider than x's. No message. Throws `RangeError` where x was opened with an
 * offset, in a narrower ring, or under a mask of one.
 */
export function linearSplit(plan: PlanBuilder, x: Opened, weight: WeightRef, ring = x.ring): Share {
  const { layout, width } = x
  if (x.offset !== 0n || x.ring < ring || x.maskRing < ring)
    throw new RangeError(`split product with '${weight.name}': its input is not opened in Z_2^${ring}`)
  const { name, n } = weight
  const other = companion(name)
  const slot: Slot = { name: 'c', layout, width: n, bits: ring }
  const type = { layout, width: n, ring, scale: timesScale(x.scale, weight.scale) }
  return plan.step<Share>('linearSplit', share(type), [x], (id) => {
    plan.weights.push(weightUse(weight, { width, ring }))
    return {
      slots: [slot],
      products: {
        owner: [{ weight: name, ring, left: (ctx) => add(ctx.get(x), ctx.mask(x), ring) }],
        server: [
          { weight: name, ring, left: (ctx) => ctx.get(x) },
          { weight: other, ring, left: (ctx) => ctx.mask(x) },
        ],
        dealer: [
          { weight: name, ring, left: (ctx) => ctx.ownerMask(x) },
          { weight: other, ring, left: (ctx) => ctx.serverMask(x) },
        ],
      },
      deal: (ctx) => [add(ctx.multiply(id, name), ctx.multiply(id, other), ring)],
      run(ctx) {
        const first = ctx.multiply(id, name)
        const own = ctx.role === 'owner' ? first : add(first, ctx.multiply(id, other), ring)
        return add(own, ctx.correlation(id, slot), ring)
      },
      oracle: (ctx) => ctx.multiply(name, ctx.get(x), ring),
    }
  })
}
