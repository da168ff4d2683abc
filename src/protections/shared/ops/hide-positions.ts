import { type ProgramKernels, program } from '../../../kernels/program.ts'
import type { PlanBuilder } from '../plan.ts'
import type { Lanes } from '../ring.ts'
import { firstRow, positionOf, type Shape, span, spanOf } from '../shape.ts'
import { type Share, share } from '../values.ts'

/**
 * Lowers by `amount` the scores of positions that a row does not see: padding, and what is further away than `window`, where
 * there is one. pairs x heads, in x's ring. The owner does so on its own share, so that where the padding is, and how much of it
 * there is, stays with the owner. No message. The views throw `RangeError` where other rows are marked than the pass has.
 */
export function hidePositions(plan: PlanBuilder, x: Share, amount: bigint, window?: number): Share {
  const { layout, width, ring } = x
  const lowered = program<[Lanes]>((p) => [p.out(p.reduce(p.sub(p.lanes(), p.runs(width)), ring))])
  const lower = (kernels: ProgramKernels, shape: Shape, scores: Lanes, padding: Uint8Array): Lanes => {
    const seen = spanOf(shape)
    if (padding.length !== seen)
      throw new RangeError(`hidePositions: ${padding.length} rows are marked as padding or not, of ${seen}`)
    // All positions take one subtraction, so that how long it takes says nothing of the padding.
    const row = BigUint64Array.from(padding, (isPadding) => (isPadding ? amount : 0n))
    const places = Array.from(padding, (_, j) => positionOf({ ...shape, base: 0 }, j))
    const less = new BigUint64Array(scores.length / width)
    for (let r = firstRow(shape, layout), at = 0; r < shape.rows; at += span(shape, r), r++) {
      const own = less.subarray(at, at + span(shape, r))
      own.set(row.subarray(0, own.length))
      if (window === undefined) continue
      const place = positionOf(shape, r)
      for (let j = 0; j < own.length; j++) if (Math.abs(places[j] - place) > window) own[j] = amount
    }
    return kernels.evaluate(lowered, [scores, less], scores.length)[0]
  }
  return plan.step<Share>('hidePositions', share(x), [x], () => ({
    run: (ctx) =>
      ctx.role === 'owner' ? lower(ctx.kernels, ctx.shape, ctx.get(x), ctx.padding()) : ctx.get(x),
    oracle: (ctx) => lower(ctx.kernels, ctx.shape, ctx.get(x), ctx.padding()),
  }))
}
