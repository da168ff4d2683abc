import type { Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import {
  add,
  bitsAt,
  clearLow,
  fromFloats,
  halfMasks,
  inBlocks,
  type Lanes,
  lowBits,
  maskOf,
} from '../ring.ts'
import { fraction } from '../scale.ts'
import { Rotations } from '../tables/rotations.ts'
import { type Opened, type Share, share } from '../values.ts'
import { publicOf } from './parts/public-of.ts'
import { tableBits } from './parts/table-bits.ts'

/** Low bits of z for which all public factors are kept: 8 MiB. */
const MOST_LOW_BITS = 20

/** A factor of at most 2^20 times a word is exact in float64. */
const EXACT_FACTOR_BITS = 20

const known = new Map<string, Lanes>()

/** 2^(low - octaves), with factorBits fraction bits, for low bits of all kinds: the public factor of an entry. */
function factorsOf(shift: number, frac: number, octaves: number, factorBits: number): Lanes {
  const key = [shift, frac, octaves, factorBits].join()
  let factors = known.get(key)
  if (!factors) {
    const power = (_: unknown, low: number): number =>
      Math.round(2 ** (low / 2 ** frac - octaves + factorBits))
    factors = fromFloats(Float64Array.from({ length: 2 ** shift }, power))
    known.set(key, factors)
  }
  return factors
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
  /** Entries lie bit by bit, not in whole bytes: fewer are dealt, and reading them takes longer. */
  readonly isPacked?: boolean
}

const shared = new Map<string, Rotations>()

/** 2^(z + octaves) of the start of every entry, for all places of the entries' borders; shared by all plans. */
function tablesOf(z: Opened, o: ExponentialOptions, octaves: number): Rotations {
  const key = [z.ring, z.scale.bits, o.entryBits, o.frac].join()
  const shift = z.ring - o.entryBits
  const entries = 1 << o.entryBits
  const size = 2 ** z.ring
  /** 2^(z + octaves) for z from k entries above the range's end on: times 2^(what is left of an entry). */
  const scale = Float64Array.from(
    { length: entries },
    (_, k) => 2 ** ((k * 2 ** shift - size) / 2 ** z.scale.bits + octaves + o.frac),
  )
  // The range keeps an entry free, so the first few units above its end are zeros that were rounded up.
  const past = 2 ** (size / 2 ** z.scale.bits)
  const tables =
    shared.get(key) ??
    new Rotations({ shift, entries, words: 1 }, (place, out) => {
      const rest = 2 ** (place / 2 ** z.scale.bits)
      for (let k = 0; k < entries; k++)
        out[k] = Math.round(rest * scale[k] * (k === 0 && place < ROUNDING ? past : 1))
    })
  shared.set(key, tables)
  return tables
}

/**
 * 2^z of an opened z <= 0 (fraction bits z.scale.bits, opened in its whole range): the dealer tabulates 2^(high part)
 * exactly for its mask, the parties multiply by the public 2^(low bits of D). No index error, small values fall to zero
 * by themselves. Same layout as z; fraction frac + factorBits. No message. Throws `RangeError` where z has too many low
 * bits.
 */
export function exponential(plan: PlanBuilder, z: Opened, o: ExponentialOptions): Share {
  const shift = z.ring - o.entryBits
  if (shift > MOST_LOW_BITS) throw new RangeError(`2^z with ${shift} low bits has too many public factors`)
  const entries = 1 << o.entryBits
  const { layout, width } = z
  const slot: Slot = {
    name: 'exp',
    layout,
    width,
    entries,
    words: 1,
    bits: o.isPacked ? o.ring : tableBits(o.ring, 1),
  }
  /** Octaves that one entry spans: the factor stays within (2^-octaves, 1]. */
  const octaves = 2 ** (shift - z.scale.bits)
  const tables = tablesOf(z, o, octaves)
  /** What the table holds times the public factor, in place. */
  const combine = (D: Lanes, table: Lanes): Lanes => {
    const factors = factorsOf(shift, z.scale.bits, octaves, o.factorBits)
    const [words, opened, by] = [table, D, factors].map(
      (v) => new Uint32Array(v.buffer, v.byteOffset, 2 * v.length),
    )
    const kept = 2 ** shift - 1
    const [low, high] = halfMasks(o.ring)
    if (o.ring <= 32) {
      // What a product has above 32 bits is above the ring, too.
      for (let i = 0; i < words.length; i += 2)
        words[i] = Math.imul(words[i], by[2 * (opened[i] & kept)]) & low
    } else if (o.factorBits <= EXACT_FACTOR_BITS) {
      for (let i = 0; i < words.length; i += 2) {
        const factor = by[2 * (opened[i] & kept)]
        const product = words[i] * factor
        words[i] = product
        words[i + 1] = (Math.floor(product / 2 ** 32) + Math.imul(words[i + 1], factor)) & high
      }
    } else {
      const m = maskOf(o.ring)
      for (let i = 0; i < table.length; i++)
        table[i] = BigInt.asUintN(64, table[i] * factors[opened[2 * i] & kept]) & m
    }
    return table
  }
  const type = { layout, width, ring: o.ring, scale: fraction(o.frac + o.factorBits) }
  return plan.step<Share>('exponential', share(type), [z], (id) => ({
    slots: [slot],
    prepare: () => tables.prepare(),
    deal: (ctx) => [tables.dealt(bitsAt(ctx.mask(z), 0, z.ring))],
    run: (ctx) =>
      inBlocks(ctx.get(z), ctx, (D, first) =>
        combine(D, ctx.lookup(id, slot, bitsAt(D, shift, o.entryBits), first)),
      ),
    oracle(ctx) {
      if (lowBits(ctx.get(z), z.ring).some((v) => v > ROUNDING && v < 2 ** shift))
        ctx.violation(id, 'a score lies too far below the largest, or above it')
      const D = publicOf(ctx, z)
      const a = ctx.mask(z)
      const places = bitsAt(a, 0, shift)
      // The entry in use starts at D's high part plus the mask.
      const entry = bitsAt(add(clearLow(D, shift), a, z.ring), shift, o.entryBits)
      const found = new BigUint64Array(D.length)
      for (let i = 0; i < found.length; i++) found[i] = tables.at(places[i])[entry[i]]
      return combine(D, found)
    },
  }))
}
