import type { PlanBuilder } from '../plan.ts'
import { maskOf, signed } from '../ring.ts'
import { rowsOf } from '../shape.ts'
import { type Share, type ShareType, share } from '../values.ts'
import { perRole } from './parts/operands.ts'
import { dealer } from './product/deal.ts'
import { columnOf, monomials, type Term } from './product/monomials.ts'
import { partyProduct } from './product/party-view.ts'

/**
 * The sum of products of opened values, elementwise: rows x width, mod 2^ring. No message.
 *
 * Each factor is a public part plus dealt secrets: multiplied out, every monomial of one secret is a share that the
 * parties hold already, and every longer one is dealt: Beaver's triples (1991), of as many factors as there are. Throws
 * `RangeError` where a factor does not reach the product's ring.
 */
export function product(plan: PlanBuilder, terms: readonly Term[], type: Omit<ShareType, 'layout'>): Share {
  const { width, ring } = type
  const { layout } = terms[0][0].value
  const all = terms.map((term, t) => monomials(term, t, layout, width, ring))
  const values = [...new Set(terms.flat().map((f) => f.value))]
  for (const v of values)
    if (Math.max(v.lift, v.ring) < ring) throw new RangeError(`product: a factor reaches Z_2^${v.lift} only`)
  const m = maskOf(ring)
  const deals = terms.map((term, t) => dealer(term, all[t], width))
  const views = perRole((role) => partyProduct(terms, all, { layout, width, ring }, role))
  return plan.step<Share>('product', share({ layout, ...type }), values, (id) => ({
    slots: all.flat().map((x) => x.slot),
    deal: (ctx) => deals.flatMap((deal) => deal(ctx)),
    run: (ctx) => views(ctx.role)(ctx, id),
    oracle(ctx) {
      const rows = rowsOf(ctx.shape, layout)
      const out = new BigUint64Array(rows * width)
      for (const term of terms) {
        const lanes = term.map((f) => ctx.get(f.value))
        for (let r = 0, i = 0; r < rows; r++)
          for (let j = 0; j < width; j++, i++) {
            let p = 1n
            for (let f = 0; f < term.length; f++)
              p *= signed(lanes[f][columnOf(term[f], r, j)], term[f].value.ring)
            out[i] = BigInt.asUintN(64, out[i] + p) & m
          }
      }
      return out
    },
  }))
}
