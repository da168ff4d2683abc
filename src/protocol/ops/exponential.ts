import type { Opened, PlanBuilder, Share, Slot } from '../plan.ts'
import { bitsAt, fromFloats, inBlocks, lowBits, maskOf } from '../ring.ts'
import { publicOf } from './open.ts'
import { tableBits } from './table.ts'

/** Units by which rounding may lift z above zero. */
const ROUNDING = 4

export interface ExponentialOptions {
  /** log2 of the table's entries. */
  readonly entryBits: number
  /** Fraction bits of the table's part, and of the public factor. */
  readonly frac: number
  readonly factorBits: number
  readonly ring: number
}

/**
 * 2^z of an opened z <= 0 (fraction bits z.frac, opened in its whole range): the dealer tabulates 2^(high part) exactly
 * for its mask, the parties multiply by the public 2^(low bits of D). No index error, small values fall to zero by
 * themselves. Same layout as z; fraction frac + factorBits. No message.
 */
export function exponential(plan: PlanBuilder, z: Opened, o: ExponentialOptions): Share {
  const shift = z.ring - o.entryBits
  const entries = 1 << o.entryBits
  const { layout, width } = z
  const slot: Slot = { name: 'exp', layout, width, entries, words: 1, bits: tableBits(o.ring, 1) }
  /** Octaves that one entry spans: the factor stays within (2^-octaves, 1]. */
  const octaves = 2 ** (shift - z.frac)
  const size = 2 ** z.ring
  const step = 2 ** shift
  /** 2^(z + octaves) for z from k entries above the range's end on: times 2^(what is left of an entry). */
  const scale = Float64Array.from(
    { length: entries },
    (_, k) => 2 ** ((k * step - size) / 2 ** z.frac + octaves + o.frac),
  )
  // The range keeps an entry free, so the first few units above its end are zeros that were rounded up.
  const past = 2 ** (size / 2 ** z.frac)
  const value = (low: number, rest: number): number =>
    Math.round(rest * scale[Math.floor(low / step)] * (low < ROUNDING ? past : 1))
  const restOf = (low: number): number => 2 ** ((low % step) / 2 ** z.frac)
  const combine = (D: BigUint64Array, table: BigUint64Array): BigUint64Array => {
    const low = lowBits(D, shift)
    for (let i = 0; i < low.length; i++)
      low[i] = Math.round(2 ** (low[i] / 2 ** z.frac - octaves + o.factorBits))
    const factor = fromFloats(low)
    const m = maskOf(o.ring)
    const out = new BigUint64Array(D.length)
    for (let i = 0; i < out.length; i++) out[i] = BigInt.asUintN(64, table[i] * factor[i]) & m
    return out
  }
  const type = { kind: 'share' as const, layout, width, ring: o.ring, frac: o.frac + o.factorBits }
  return plan.step<Share>('exponential', type, [z], (id) => ({
    slots: [slot],
    deal(ctx) {
      const a = ctx.mask(z)
      const offsets = lowBits(a, z.ring)
      const out = new Float64Array(a.length * entries)
      for (let i = 0; i < a.length; i++) {
        const rest = restOf(offsets[i])
        for (let e = 0; e < entries; e++) out[i * entries + e] = value((e * step + offsets[i]) % size, rest)
      }
      return [fromFloats(out)]
    },
    run: (ctx) =>
      inBlocks(ctx.get(z), (D, first) =>
        combine(D, ctx.lookup(id, slot, bitsAt(D, shift, o.entryBits), first)),
      ),
    plain(ctx) {
      if (lowBits(ctx.get(z), z.ring).some((v) => v > ROUNDING && v < step))
        ctx.violation(id, "a score lies too far below its row's maximum")
      const D = publicOf(ctx, z)
      const a = ctx.mask(z)
      const low = new Float64Array(D.length)
      for (let i = 0; i < low.length; i++) {
        const base = (D[i] >> BigInt(shift)) << BigInt(shift)
        const from = Number(BigInt.asUintN(64, base + a[i]) & maskOf(z.ring))
        low[i] = value(from, restOf(from))
      }
      return combine(D, fromFloats(low))
    },
  }))
}
