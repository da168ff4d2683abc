import type { Blinded, PlanBuilder, Share, Slot } from '../plan.ts'
import { add } from '../ring.ts'

/** A weight as a plan names it. `frac` are its fraction bits. */
export interface WeightRef {
  readonly name: string
  readonly n: number
  readonly frac: number
  readonly visibility: 'public' | 'private'
}

/**
 * x·W for a private W, by the stationary mask F = W - b: the owner's share a·F + c is input-independent, the server's
 * is (x - a)·W + (a·b - c), and the last term is dealt. rows x n, mod e's ring. No message beyond the blinding.
 */
export function linearPrivate(plan: PlanBuilder, e: Blinded, weight: WeightRef): Share {
  const { ring } = e
  const slot: Slot = { name: 'c', layout: 'row', width: weight.n, bits: ring, wide: true }
  const type = {
    kind: 'share' as const,
    layout: 'row' as const,
    width: weight.n,
    ring,
    frac: e.frac + weight.frac,
  }
  return plan.step<Share>('linear', type, [e], (id) => {
    plan.weights.push({ ...weight, step: id, mask: e.mask, k: e.width, ring })
    return {
      needs: { owner: [] },
      slots: [slot],
      deal: (ctx) => [ctx.multiplyDifference(weight.name, ctx.ownerMask(e), ring)],
      run: (ctx) =>
        ctx.role === 'owner'
          ? ctx.stationary(weight.name)
          : add(ctx.multiply(weight.name, ctx.get(e), ring), ctx.correlation(id, slot), ring),
      plain: (ctx) => ctx.multiply(weight.name, ctx.get(e), ring),
    }
  })
}

/** x·W for a public W: each party multiplies its own share. No message, no dealer. */
export function linearPublic(plan: PlanBuilder, x: Share, weight: WeightRef): Share {
  const { ring } = x
  const type = {
    kind: 'share' as const,
    layout: 'row' as const,
    width: weight.n,
    ring,
    frac: x.frac + weight.frac,
  }
  return plan.step<Share>('linear', type, [x], (id) => {
    plan.weights.push({ ...weight, step: id, mask: -1, k: x.width, ring })
    return {
      run: (ctx) => ctx.multiply(weight.name, ctx.get(x), ring),
      plain: (ctx) => ctx.multiply(weight.name, ctx.get(x), ring),
    }
  })
}
