import type { Opened, PlanBuilder, Share, Slot } from '../plan.ts'
import { add, bitsAt, clearLow, fromFloats, inBlocks, type Lanes, lowBits, maskOf } from '../ring.ts'
import { publicOf } from './open.ts'
import { tableBits } from './table.ts'

/** The most low bits for which powers are worked out once and kept (512 KiB). */
const KEPT_BITS = 16

const knownRests = new Map<string, Float64Array>()
const knownFactors = new Map<string, Lanes>()

/** What is in the map, after it was worked out if it wasn't. */
function kept<T>(known: Map<string, T>, key: string, work: () => T): T {
  const value = known.get(key) ?? work()
  known.set(key, value)
  return value
}

/** 0 .. 2^bits - 1. */
const numbers = (bits: number): Float64Array => Float64Array.from({ length: 2 ** bits }, (_, i) => i)

/** 2^low for numbers of `shift` bits: what is left of an entry. */
function restsOf(low: Float64Array, shift: number, frac: number): Float64Array {
  if (shift > KEPT_BITS) return low.map((v) => 2 ** (v / 2 ** frac))
  const all = kept(knownRests, `${shift} ${frac}`, () => numbers(shift).map((v) => 2 ** (v / 2 ** frac)))
  const out = new Float64Array(low.length)
  for (let i = 0; i < out.length; i++) out[i] = all[low[i]]
  return out
}

/** 2^(low bits - octaves) of every lane, with factorBits fraction bits: the public factor of an entry. */
function factors(shift: number, frac: number, octaves: number, factorBits: number): (D: Lanes) => Lanes {
  const worked = (low: Float64Array): Lanes => {
    for (let i = 0; i < low.length; i++) low[i] = Math.round(2 ** (low[i] / 2 ** frac - octaves + factorBits))
    return fromFloats(low)
  }
  if (shift > KEPT_BITS) return (D) => worked(lowBits(D, shift))
  const key = [shift, frac, octaves, factorBits].join()
  return (D) => {
    const all = kept(knownFactors, key, () => worked(numbers(shift)))
    const index = bitsAt(D, 0, shift)
    const out = new BigUint64Array(D.length)
    for (let i = 0; i < out.length; i++) out[i] = all[index[i]]
    return out
  }
}

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
  /** An entry's value: entry k of the range, from `low` units of it on, of which `rest` is the power. */
  const value = (k: number, low: number, rest: number): number =>
    Math.round(rest * scale[k] * (k === 0 && low < ROUNDING ? past : 1))
  const factorsOf = factors(shift, z.frac, octaves, o.factorBits)
  const combine = (D: BigUint64Array, table: BigUint64Array): BigUint64Array => {
    const factor = factorsOf(D)
    const m = maskOf(o.ring)
    for (let i = 0; i < factor.length; i++) factor[i] = BigInt.asUintN(64, table[i] * factor[i]) & m
    return factor
  }
  const type = { kind: 'share' as const, layout, width, ring: o.ring, frac: o.frac + o.factorBits }
  return plan.step<Share>('exponential', type, [z], (id) => ({
    slots: [slot],
    deal(ctx) {
      const a = ctx.mask(z)
      const low = lowBits(a, shift)
      const rests = restsOf(low, shift, z.frac)
      const starts = bitsAt(a, shift, o.entryBits)
      /** The mask's entry of the range comes first, then those that follow it around; what is left over is the same for all. */
      const fill = (first: number, n: number, out: Lanes): void => {
        const words = new Uint32Array(out.buffer, out.byteOffset, 2 * out.length)
        for (let i = first, from = 0; i < first + n; i++, from += entries)
          for (let k = 0; k < entries; k++) {
            const v = value(k, low[i], rests[i])
            const to = 2 * (from + ((k - starts[i]) & (entries - 1)))
            words[to] = v
            words[to + 1] = v / 4294967296
          }
      }
      return [{ fill }]
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
      const low = lowBits(a, shift)
      const rests = restsOf(low, shift, z.frac)
      // The entry in use starts at D's high part plus the mask.
      const entry = bitsAt(add(clearLow(D, shift), a, z.ring), shift, o.entryBits)
      return combine(D, fromFloats(rests.map((rest, i) => value(entry[i], low[i], rest))))
    },
  }))
}
