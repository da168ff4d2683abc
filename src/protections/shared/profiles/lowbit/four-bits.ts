/**
 * The system of Lu et al. (Privacy-preserving inference for quantized BERT models, 2025), as far as its abstract tells and a
 * reconstruction from the field's usual parts goes: four-bit scores, their maximum by a tournament of two-input tables,
 * four-bit probabilities by a two-input table of division, and four-bit activations by tables that requantize. Selected by
 * a manifest's `variant`; of encoders.
 */
import { belowTiles } from '../../ops/below-tiles.ts'
import { hidePositions } from '../../ops/hide-positions.ts'
import { lookup } from '../../ops/lookup.ts'
import { lookupPair, type PairTable, pairTable } from '../../ops/lookup-pair.ts'
import { narrow } from '../../ops/narrow.ts'
import { open } from '../../ops/open.ts'
import { relaid } from '../../ops/relaid.ts'
import { slice } from '../../ops/slice.ts'
import { sumTiles } from '../../ops/sum-tiles.ts'
import { truncate } from '../../ops/truncate.ts'
import { fraction, type Scale, UNSCALED } from '../../scale.ts'
import { rowLayout } from '../../shape.ts'
import { fullTable } from '../../tables/full-table.ts'
import type { Rotations } from '../../tables/rotations.ts'
import type { Share } from '../../values.ts'
import type { Block } from './block.ts'

const BITS = 4
const LEVELS = 2 ** BITS
/** Bits of a score before its table, and its fraction bits there: 64 octaves. */
const SCORE = 8
const SCORE_FRACTION = 2
/** What the largest score's power of two is, and the ring of sums of them over at most 512 positions. */
const ONE = 7
const SUM = 17
/** Codes of a sum of powers: as many for each octave of the nine that there are. */
const PER_OCTAVE = (LEVELS - 1) / 9
/** Fraction bits of a probability. */
export const PROBABILITY_FRACTION = BITS

const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x))
const signed = (x: number, bits: number): number => (x < 2 ** (bits - 1) ? x : x - 2 ** bits)

/** The tables that do not depend on a model. */
const larger = pairTable(BITS, BITS, Math.max)
const power = fullTable(BITS, (d) => Math.round(2 ** (ONE - d)))
const code = fullTable(SUM - ONE, (n) => Math.round(PER_OCTAVE * Math.log2(Math.max(1, n))))
const quotient: PairTable = pairTable(BITS, BITS, (d, c) =>
  clamp(Math.round(LEVELS * 2 ** -(d + c / PER_OCTAVE)), 0, LEVELS - 1),
)
const identity = fullTable(BITS, (x) => x)
/** What a score's table makes of a cap: a level for each octave below it. */
const scoreTable = (cap: number): Rotations =>
  fullTable(SCORE, (z) =>
    clamp(Math.round(LEVELS - 1 - cap + signed(z, SCORE) / 2 ** SCORE_FRACTION), 0, LEVELS - 1),
  )

/** A four-bit value again, from a table of its few values: times `step`, in another ring. */
function widened(block: Block, x: Share, table: Rotations, ring: number, scale: Scale): Share {
  return lookup(block.plan, open(block.plan, x, { bits: BITS }), table, { ring, scale })
}

/** Probabilities of all positions, pairs x heads, mod 2^values: of scores as the contraction made them. */
export function probabilities(block: Block, scores: Share): Share {
  const { plan, widths: w, spec, seen } = block
  const { heads } = block.heads
  const drop = scores.scale.bits - SCORE_FRACTION
  const z = truncate(plan, scores, drop, SCORE, 'modular')
  const shaded = hidePositions(plan, z, w.exponent.padding >> 3n)
  const levels = lookup(plan, open(plan, shaded, { bits: SCORE }), scoreTable(spec.quantization.cap), {
    ring: BITS,
    scale: UNSCALED,
  })
  const columns = relaid(plan, levels, rowLayout(scores.layout), heads * seen)
  const below = open(plan, belowTiles(plan, largest(block, columns), columns), { bits: BITS })
  const powers = lookup(plan, below, power, { ring: SUM, scale: fraction(ONE) })
  const sums = truncate(plan, sumTiles(plan, powers, heads), ONE, undefined, 'unsigned')
  const n = open(plan, sums, { bits: SUM - ONE })
  const c = open(plan, lookup(plan, n, code, { ring: BITS, scale: UNSCALED }), { bits: BITS })
  const scale = fraction(PROBABILITY_FRACTION)
  const p = lookupPair(plan, below, c, quotient, { ring: BITS, scale })
  return relaid(plan, widened(block, p, identity, w.values.ring, scale), scores.layout, heads)
}

/** The largest level of each head: halves of the positions against each other, until one is left. */
function largest({ plan, heads: { heads } }: Block, columns: Share): Share {
  let left = columns
  for (let n = columns.width / heads; n > 1; ) {
    const half = Math.ceil(n / 2)
    // Of an odd number the one in the middle meets itself.
    const [a, b] = [0, n - half].map((from) =>
      open(plan, slice(plan, left, from * heads, half * heads), { bits: BITS }),
    )
    left = lookupPair(plan, a, b, larger, { ring: BITS, scale: UNSCALED })
    n = half
  }
  return left
}

/**
 * Four bits of a signed value in `bits` bits, saturated, at its own scale but mod 2^ring: one table makes 16 levels of it,
 * another what they stand for. `rectified`: of its positive part.
 */
export function requantized(block: Block, x: Share, bits: number, ring: number, rectified = false): Share {
  const { plan } = block
  // Half of the levels are for negative values, but where there are none.
  const shift = bits - 2 - BITS + (rectified ? 0 : 1)
  const step = 2 ** shift
  const half = rectified ? 0 : LEVELS / 2
  const down = fullTable(bits, (v) => clamp(Math.round(signed(v, bits) / step), -half, LEVELS - 1 - half))
  const up = fullTable(BITS, (v) => (rectified ? v : signed(v, BITS)) * step)
  const opened = open(plan, narrow(plan, x, bits, 'modular'), { bits })
  const few = lookup(plan, opened, down, { ring: BITS, scale: x.scale })
  return widened(block, few, up, ring, x.scale)
}
