import { type Opened, type PlanBuilder, rowsOf, type Share, type Slot } from '../plan.ts'
import { bitsAt, fromFloats, maskOf, signed } from '../ring.ts'
import { basis, Fitter } from '../tables/fit.ts'
import { publicOf } from './open.ts'
import type { Term } from './product.ts'
import { tableBits } from './table.ts'

export interface InverseOptions {
  /** The function, of the value in its real scale; applied to at least `floor`. */
  readonly f: (x: number) => number
  readonly floor: number
  /** log2 of the table's entries. */
  readonly entryBits: number
  /** Low end of the fine level: values under 2^(fineShift + entryBits) are read there. Absent: one level. */
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
 * A steep function (1/x, 1/sqrt(x)) of an opened non-negative value over many octaves, by tables with a polynomial in
 * the public low bits: about one segment an octave at the bottom of each level. rows x (levels x width), mod 2^ring.
 * No message.
 */
export function inverse(plan: PlanBuilder, v: Opened, o: InverseOptions): Share {
  const two = o.fineShift !== undefined
  const fitter = new Fitter(o.degree)
  const entries = 1 << o.entryBits
  const coarseShift = v.ring - o.entryBits
  const fineShift = o.fineShift ?? 0
  const fineRing = fineShift + o.entryBits
  if (two && coarseShift >= fineRing) throw new RangeError('inverse: the two levels leave a gap')
  const width = v.width
  const { layout } = v
  const n = fitter.words
  const coarseWords = two ? n + 1 : n
  const coarse: Slot = {
    name: 'coarse',
    layout,
    width,
    entries,
    words: coarseWords,
    bits: tableBits(o.ring, coarseWords),
  }
  const fine: Slot = { name: 'fine', layout, width, entries, words: n, bits: tableBits(o.ring, n) }
  const unit = 2 ** -v.frac
  const scale = 2 ** o.frac
  const f = (x: number): number => o.f(Math.max(x * unit, o.floor))

  /** One entry of a level for values in [low, low + 2^shift) mod 2^ring. */
  const entry = (
    low: number,
    shift: number,
    ring: number,
    gate: boolean,
    out: Float64Array,
    at: number,
  ): void => {
    const span = 2 ** shift
    if (!gate) {
      // A segment over the end of the range is met at the end: the start, two segments long, is below all values.
      fitter.fit(f, low, span, scale, out, at)
      return
    }
    // The coarse level keeps its last segment free, so here such a segment is met at the start, and gated.
    const below = low + span <= 2 ** fineRing || low + span > 2 ** ring
    if (!below) fitter.fit(f, low, span, scale, out, at)
    out[at + n] = below ? 1 : 0
  }
  /** The table of a mask at one level. */
  const table = (
    a: bigint,
    shift: number,
    ring: number,
    gate: boolean,
    out: Float64Array,
    at: number,
  ): void => {
    const offset = Number(a & maskOf(ring))
    const size = 2 ** ring
    const step = 2 ** shift
    const words = gate ? n + 1 : n
    for (let i = 0; i < entries; i++)
      entry((i * step + offset) % size, shift, ring, gate, out, at + i * words)
  }
  const evaluate = (D: bigint, shift: number, out: Float64Array): void =>
    basis(Number(D & maskOf(shift)) / 2 ** shift, n, 2 ** o.basisBits, out, 0)

  /** sum over words of table words x public basis; the gate comes out scaled like the rest. */
  const combine = (
    D: BigUint64Array,
    first: BigUint64Array,
    second: BigUint64Array | undefined,
    rows: number,
  ) => {
    const out = new BigUint64Array(rows * width * (two ? 3 : 1))
    const m = maskOf(o.ring)
    const b = new Float64Array(n)
    const gateScale = 1n << BigInt(o.basisBits)
    const dot = (words: BigUint64Array, at: number, to: number): void => {
      const t = fromFloats(b)
      for (let k = 0; k < n; k++)
        out[to] = BigInt.asUintN(64, out[to] + BigInt.asUintN(64, words[at + k] * t[k])) & m
    }
    for (let r = 0, i = 0; r < rows; r++)
      for (let j = 0; j < width; j++, i++) {
        const to = r * width * (two ? 3 : 1) + j
        evaluate(D[i], coarseShift, b)
        dot(first, i * coarseWords, to)
        if (!two || !second) continue
        out[to + width] = BigInt.asUintN(64, first[i * coarseWords + n] * gateScale) & m
        evaluate(D[i], fineShift, b)
        dot(second, i * n, to + 2 * width)
      }
    return out
  }
  const type = {
    kind: 'share' as const,
    layout,
    width: width * (two ? 3 : 1),
    ring: o.ring,
    frac: o.frac + o.basisBits,
  }
  return plan.step<Share>('inverse', type, [v], (id) => ({
    slots: two ? [coarse, fine] : [coarse],
    deal(ctx) {
      const a = ctx.mask(v)
      const first = new Float64Array(a.length * entries * coarseWords)
      for (let i = 0; i < a.length; i++)
        table(a[i], coarseShift, v.ring, two, first, i * entries * coarseWords)
      if (!two) return [fromFloats(first)]
      const second = new Float64Array(a.length * entries * n)
      for (let i = 0; i < a.length; i++) table(a[i], fineShift, fineRing, false, second, i * entries * n)
      return [fromFloats(first), fromFloats(second)]
    },
    run(ctx) {
      const D = ctx.get(v)
      const rows = rowsOf(ctx.shape, layout)
      const index = (shift: number): Uint32Array => bitsAt(D, shift, o.entryBits)
      const first = ctx.lookup(id, coarse, index(coarseShift))
      return combine(D, first, two ? ctx.lookup(id, fine, index(fineShift)) : undefined, rows)
    },
    plain(ctx) {
      const D = publicOf(ctx, v)
      const a = ctx.mask(v)
      const value = ctx.get(v)
      const first = new Float64Array(D.length * coarseWords)
      const second = new Float64Array(D.length * n)
      for (let i = 0; i < D.length; i++) {
        const x = Number(signed(value[i], v.ring)) * unit
        if (x < 0) ctx.violation(id, 'a value is outside the table')
        const low = (shift: number, ring: number): number => {
          const base = (D[i] >> BigInt(shift)) << BigInt(shift)
          return Number(BigInt.asUintN(64, base + a[i]) & maskOf(ring))
        }
        entry(low(coarseShift, v.ring), coarseShift, v.ring, two, first, i * coarseWords)
        if (two) entry(low(fineShift, fineRing), fineShift, fineRing, false, second, i * n)
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
