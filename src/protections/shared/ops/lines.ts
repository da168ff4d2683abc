import type { Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { add, bitsAt, clearLow, type Lanes, maskOf, signed } from '../ring.ts'
import { finer } from '../scale.ts'
import type { Rotations } from '../tables/rotations.ts'
import { type Opened, type Share, share } from '../values.ts'
import { publicOf } from './parts/public-of.ts'

export interface LinesOptions {
  /** Fraction bits that the lines have beyond g's. */
  readonly frac: number
  readonly ring: number
}

/**
 * f(g) of an opened signed g by a straight line for each interval of its ring, exact for the mask: a one-time table of
 * c0 and c1, from `lineTable`, and c0 + c1 low(D) of what each party reads. Few bits take lines; polynomials are
 * `activate`. Same layout, mod 2^ring. No message. Throws `RangeError` where the table is another ring's.
 */
export function lines(plan: PlanBuilder, g: Opened, table: Rotations, { frac, ring }: LinesOptions): Share {
  const { layout, width } = g
  const { entries, shift, words } = table.spec
  if (words !== 2 || entries * 2 ** shift !== 2 ** g.ring)
    throw new RangeError(`lines: the table is not of all values of Z_2^${g.ring}`)
  const slot: Slot = { name: 'lines', layout, width, entries, words, bits: ring }
  const m = maskOf(ring)
  const at = (D: Lanes, c: Lanes): Lanes => {
    const low = bitsAt(D, 0, shift)
    const out = new BigUint64Array(D.length)
    for (let i = 0; i < out.length; i++)
      out[i] = BigInt.asUintN(64, c[2 * i] + BigInt.asUintN(64, c[2 * i + 1] * BigInt(low[i]))) & m
    return out
  }
  const type = { layout, width, ring, scale: finer(g.scale, frac) }
  return plan.step<Share>('lines', share(type), [g], (id) => ({
    slots: [slot],
    prepare: () => table.prepare(),
    deal: (ctx) => [table.dealt(bitsAt(ctx.mask(g), 0, g.ring))],
    run(ctx) {
      const D = ctx.get(g)
      return at(D, ctx.lookup(id, slot, bitsAt(D, shift, g.ring - shift)))
    },
    oracle(ctx) {
      const limit = 2 ** (g.ring - 1) - 2 ** shift
      if (ctx.get(g).some((v) => Math.abs(Number(signed(v, g.ring))) >= limit))
        ctx.violation(id, 'an activation input is outside its table')
      const D = publicOf(ctx, g)
      const start = bitsAt(add(clearLow(D, shift), ctx.mask(g), g.ring), 0, g.ring)
      const c = new BigUint64Array(2 * D.length)
      for (let i = 0; i < D.length; i++) {
        const entry = 2 * (start[i] >>> shift)
        c.set(table.at(start[i] % 2 ** shift).subarray(entry, entry + 2), 2 * i)
      }
      return at(D, c)
    },
  }))
}
