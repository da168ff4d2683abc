import { type Opened, type PlanBuilder, rowsOf, type Share, type Slot } from '../plan.ts'
import { bitsAt, fromFloats, type Lanes, lowBits, maskOf, signed } from '../ring.ts'
import { basis } from '../tables/fit.ts'
import { Levels } from '../tables/levels.ts'
import { publicOf } from './open.ts'
import type { Term } from './product.ts'
import { tableBits } from './table.ts'

export interface InverseOptions {
  /** The function, of the value in its real scale; applied to at least `floor`. */
  readonly f: (x: number) => number
  readonly floor: number
  /** log2 of the table's entries. */
  readonly entryBits: number
  /** Low end of the fine level; absent for one level. */
  readonly fineShift?: number
  readonly degree: number
  /** Fraction bits of the result, and of the public basis. */
  readonly frac: number
  readonly basisBits: number
  /** Ring of the result before the basis bits are truncated away. */
  readonly ring: number
}

/** Levels in the output: one, or coarse, gate and fine with f = coarse + gate x fine. */
export const inverseLevels = (o: { fineShift?: number }): number => (o.fineShift === undefined ? 1 : 3)

/**
 * A steep function of an opened non-negative value, by dealt tables of polynomials in the public low bits of D: rows x
 * (levels x width), mod 2^ring, fraction frac + basisBits. No message.
 */
export function inverse(plan: PlanBuilder, v: Opened, o: InverseOptions): Share {
  const { entryBits, fineShift, degree } = o
  const unit = 2 ** -v.frac
  const f = (x: number): number => o.f(Math.max(x * unit, o.floor))
  const levels = new Levels(f, { ring: v.ring, entryBits, fineShift, degree, scale: o.frac })
  const { entries, words, coarseWords, coarseShift } = levels
  const { layout, width } = v
  const parts = inverseLevels(o)
  const coarse: Slot = {
    name: 'coarse',
    layout,
    width,
    entries,
    words: coarseWords,
    bits: tableBits(o.ring, coarseWords),
  }
  const fine: Slot = { name: 'fine', layout, width, entries, words, bits: tableBits(o.ring, words) }

  /** Dots of the entries' words with the public basis; the gate comes out at the same scale. */
  const combine = (D: Lanes, first: Lanes, second: Lanes | undefined, rows: number): Lanes => {
    const out = new BigUint64Array(rows * width * parts)
    const m = maskOf(o.ring)
    const gateScale = 1n << BigInt(o.basisBits)
    const dots = (shift: number, entry: Lanes, stride: number, part: number): void => {
      const b = new Float64Array(D.length * words)
      const low = lowBits(D, shift)
      for (let i = 0; i < D.length; i++) basis(low[i] / 2 ** shift, words, 2 ** o.basisBits, b, i * words)
      const t = fromFloats(b)
      for (let i = 0; i < D.length; i++) {
        const to = (Math.floor(i / width) * parts + part) * width + (i % width)
        for (let k = 0; k < words; k++) {
          const product = BigInt.asUintN(64, entry[i * stride + k] * t[i * words + k])
          out[to] = BigInt.asUintN(64, out[to] + product) & m
        }
      }
    }
    dots(coarseShift, first, coarseWords, 0)
    if (fineShift === undefined || !second) return out
    dots(fineShift, second, words, 2)
    for (let i = 0; i < D.length; i++) {
      const to = (Math.floor(i / width) * parts + 1) * width + (i % width)
      out[to] = BigInt.asUintN(64, first[i * coarseWords + words] * gateScale) & m
    }
    return out
  }
  const type = {
    kind: 'share' as const,
    layout,
    width: width * parts,
    ring: o.ring,
    frac: o.frac + o.basisBits,
  }
  return plan.step<Share>('inverse', type, [v], (id) => ({
    slots: fineShift === undefined ? [coarse] : [coarse, fine],
    deal(ctx) {
      const a = lowBits(ctx.mask(v), v.ring)
      const first = new Float64Array(a.length * entries * coarseWords)
      for (let i = 0; i < a.length; i++) levels.coarseTable(a[i], first, i * entries * coarseWords)
      if (fineShift === undefined) return [fromFloats(first)]
      const second = new Float64Array(a.length * entries * words)
      for (let i = 0; i < a.length; i++) levels.fineTable(a[i], second, i * entries * words)
      return [fromFloats(first), fromFloats(second)]
    },
    run(ctx) {
      const D = ctx.get(v)
      const first = ctx.lookup(id, coarse, bitsAt(D, coarseShift, entryBits))
      const second =
        fineShift === undefined ? undefined : ctx.lookup(id, fine, bitsAt(D, fineShift, entryBits))
      return combine(D, first, second, rowsOf(ctx.shape, layout))
    },
    plain(ctx) {
      if (ctx.get(v).some((x) => Number(signed(x, 64)) * unit < o.floor))
        ctx.violation(id, 'a value is below the table')
      const D = publicOf(ctx, v)
      const real = lowBits(D, v.ring)
      const a = lowBits(ctx.mask(v), v.ring)
      const first = new Float64Array(D.length * coarseWords)
      const second = new Float64Array(D.length * words)
      for (let i = 0; i < D.length; i++) {
        levels.coarse(levels.startOf('coarse', real[i], a[i]), first, i * coarseWords)
        if (fineShift !== undefined) levels.fine(levels.startOf('fine', real[i], a[i]), second, i * words)
      }
      return combine(D, fromFloats(first), fromFloats(second), rowsOf(ctx.shape, layout))
    },
  }))
}

/** The terms of x times the opened result of `inverse`: x·coarse + x·gate·fine. `repeat` columns share one result. */
export function timesInverse(x: Opened, r: Opened, levels: number, repeat: number): Term[] {
  const width = r.width / levels
  const part = (level: number) => ({ value: r, from: level * width, repeat })
  if (levels === 1) return [[{ value: x }, part(0)]]
  return [
    [{ value: x }, part(0)],
    [{ value: x }, part(1), part(2)],
  ]
}
