import { program } from '../../../kernels/program.ts'
import type { PartyContext } from '../context.ts'
import { sharedBits } from '../correlations/correlations.ts'
import type { Blinded, DealtProduct, PlanBuilder, Share, Slot, WeightUse } from '../plan.ts'
import { weightSumStream } from '../prg.ts'
import type { Lanes } from '../ring.ts'
import { rowsOf } from '../shape.ts'

/** A weight as a plan names it. `frac` are its fraction bits. */
export interface WeightRef {
  readonly name: string
  readonly index: number
  readonly n: number
  readonly frac: number
  readonly visibility: WeightUse['visibility']
}

/**
 * x·W for a private W, by the stationary mask F = W - b: the owner's share a·F + c is input-independent, the server's
 * is (x - a)·W + (a·b - c), and the last term is dealt. rows x n, mod e's ring. No message beyond the blinding.
 */
export function linearPrivate(plan: PlanBuilder, e: Blinded, weight: WeightRef): Share {
  const { ring, layout } = e
  const slot: Slot = { name: 'c', layout, width: weight.n, bits: ring, stream: weightSumStream(weight.index) }
  const type = {
    kind: 'share' as const,
    layout,
    width: weight.n,
    ring,
    frac: e.frac + weight.frac,
  }
  const dealt: DealtProduct = { weight: weight.name, ring, lanes: (ctx) => ctx.ownerMask(e) }
  const sum = program<[Lanes]>((p) => [
    p.out(p.reduce(p.add(p.lanes(), p.packed(sharedBits('server', slot))), ring)),
  ])
  const added = (ctx: PartyContext, y: Lanes, dealt: Uint8Array): Lanes =>
    ctx.evaluate(sum, [y, dealt], y.length)[0]
  return plan.step<Share>('linear', type, [e], (id) => {
    plan.weights.push({ ...weight, k: e.width, ring })
    return {
      needs: { owner: [] },
      slots: [slot],
      matmul: [{ weight: weight.name, input: e, ring, by: ['server'] }],
      dealtProducts: [dealt],
      deal: (ctx) => [ctx.multiplyDifference(dealt)],
      run: (ctx) =>
        ctx.role === 'owner'
          ? lastRows(ctx.stationary(weight.name), rowsOf(ctx.shape, layout) * weight.n)
          : added(ctx, ctx.multiply(weight.name, ctx.get(e), ring), ctx.packed(id, slot)),
      plain: (ctx) => ctx.multiply(weight.name, ctx.get(e), ring),
    }
  })
}

/** Products are made ahead for every row; a `last` value takes the last. */
const lastRows = (y: Lanes, n: number): Lanes => y.subarray(y.length - n)

/** x·W for a public W: each party multiplies its own share. No message, no dealer. */
export function linearPublic(plan: PlanBuilder, x: Share, weight: WeightRef): Share {
  const { ring } = x
  const type = {
    kind: 'share' as const,
    layout: x.layout,
    width: weight.n,
    ring,
    frac: x.frac + weight.frac,
  }
  return plan.step<Share>('linear', type, [x], () => {
    plan.weights.push({ ...weight, k: x.width, ring })
    return {
      matmul: [{ weight: weight.name, input: x, ring, by: ['owner', 'server'] }],
      run: (ctx) => ctx.multiply(weight.name, ctx.get(x), ring),
      plain: (ctx) => ctx.multiply(weight.name, ctx.get(x), ring),
    }
  })
}
