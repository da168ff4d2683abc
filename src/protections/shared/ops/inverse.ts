import type { ValueContext } from '../context.ts'
import type { DealtRows, Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { bitsAt, fromFloats, type Lanes, lowBits, maskOf, signed } from '../ring.ts'
import { fraction } from '../scale.ts'
import { rowsOf } from '../shape.ts'
import { Levels, levelCount } from '../tables/levels.ts'
import { type Opened, type Share, share } from '../values.ts'
import { publicOf } from './parts/public-of.ts'
import { tableBits } from './parts/table-bits.ts'

export interface InverseOptions {
  /** The function, of the value in its real scale; applied to at least `floor`. */
  readonly f: (x: number) => number
  readonly floor: number
  /** log2 of the table's entries. */
  readonly entryBits: number
  /** Low end of the finest level; absent for one level. */
  readonly fineShift?: number
  /** How many levels, where there are more than two. */
  readonly levels?: number
  readonly degree: number
  /** Fraction bits of the result, and of the public basis. */
  readonly frac: number
  readonly basisBits: number
  /** Ring of the result before the basis bits are truncated away. */
  readonly ring: number
}

/** Parts of `inverse`'s output: every level's, and a gate between each two. */
const inverseParts = (o: { fineShift?: number; levels?: number }): number => 2 * levelCount(o) - 1

/**
 * Dealt words of `inverse` for one value: its tables' entries times their words. `entryBits` need not be whole, where
 * two geometries are compared.
 */
export const inverseWords = (o: { entryBits: number; degree: number; levels: number }): number =>
  2 ** o.entryBits * (o.levels * (o.degree + 2) - 1)

/**
 * A steep function of an opened non-negative value, by dealt tables of polynomials in the public low bits of D: rows x
 * (parts x width), mod 2^ring, fraction frac + basisBits; gates are 2^basisBits or zero. No message.
 */
export function inverse(plan: PlanBuilder, v: Opened, o: InverseOptions): Share {
  const { entryBits } = o
  const unit = 2 ** -v.scale.bits
  const f = (x: number): number => o.f(Math.max(x * unit, o.floor))
  const levels = new Levels(f, { ...o, ring: v.ring, scale: o.frac })
  const { entries, words, shifts } = levels
  const { layout, width } = v
  const parts = inverseParts(o)
  const slots = shifts.map((_, k): Slot => {
    const words = levels.wordsOf(k)
    return { name: `level${k}`, layout, width, entries, words, bits: tableBits(o.ring, words) }
  })

  /** Dots of the entries' words with the public basis; gates come out at the same scale. */
  const combine = (ctx: ValueContext, D: Lanes, found: readonly Lanes[], rows: number): Lanes => {
    const out = new BigUint64Array(rows * width * parts)
    const m = maskOf(o.ring)
    const gateScale = 1n << BigInt(o.basisBits)
    const place = (i: number, part: number): number =>
      (Math.floor(i / width) * parts + part) * width + (i % width)
    found.forEach((entry, level) => {
      const shift = shifts[level]
      const stride = levels.wordsOf(level)
      const spec = { n: words, groups: 1, shift, scale: o.basisBits }
      const f = ctx.kernels.polynomials(D, entry, spec)
      for (let i = 0; i < D.length; i++) {
        out[place(i, 2 * level)] = f[i] & m
        if (stride > words)
          out[place(i, 2 * level + 1)] = BigInt.asUintN(64, entry[i * stride + words] * gateScale) & m
      }
    })
    return out
  }
  const type = { layout, width: width * parts, ring: o.ring, scale: fraction(o.frac + o.basisBits) }
  return plan.step<Share>('inverse', share(type), [v], (id) => ({
    slots,
    deal(ctx) {
      const a = lowBits(ctx.mask(v), v.ring)
      return slots.map(
        (_, k): DealtRows => ({
          fill: (first, n, out) => levels.fill(k, a, first, n, out, ctx.kernels),
        }),
      )
    },
    run(ctx) {
      const D = ctx.get(v)
      const found = slots.map((slot, k) => ctx.lookup(id, slot, bitsAt(D, shifts[k], entryBits)))
      return combine(ctx, D, found, rowsOf(ctx.shape, layout))
    },
    oracle(ctx) {
      if (ctx.get(v).some((x) => Number(signed(x, 64)) * unit < o.floor))
        ctx.violation(id, 'a value is below the table')
      const D = publicOf(ctx, v)
      const real = lowBits(D, v.ring)
      const a = lowBits(ctx.mask(v), v.ring)
      const found = slots.map((_, k) => {
        const per = levels.wordsOf(k)
        const out = new Float64Array(D.length * per)
        for (let i = 0; i < D.length; i++) levels.entry(k, levels.startOf(k, real[i], a[i]), out, i * per)
        return fromFloats(out)
      })
      return combine(ctx, D, found, rowsOf(ctx.shape, layout))
    },
  }))
}
