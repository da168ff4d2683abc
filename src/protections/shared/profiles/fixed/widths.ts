/** Bit widths of the `fixed` profile, layer by layer, from measured ranges. */
import type { ModelConfig } from '../../../../model/architectures/config.ts'
import { architectureOf } from '../../../../model/architectures/registry.ts'
import { timesInverse } from '../../ops/composed/open-inverse.ts'
import { inverseWords } from '../../ops/inverse.ts'
import { levelProducts } from '../../ops/parts/gate-products.ts'
import { bitsPerColumn } from '../../ops/product/monomials.ts'
import { RangeTooWide } from './errors.ts'
import type { MatrixRole } from './matrices.ts'
import type { Interval, Ranges } from './ranges.ts'

/** Fraction bits and head room that a profile fixes; everything else follows from the ranges. */
export interface Precision {
  /** Activations, residual stream, weights, rotary cos and sin. */
  readonly activation: number
  readonly residual: number
  readonly weight: number
  readonly rotary: number
  /** How far beyond its measured range a value may go, as a factor. */
  readonly headroom: number
  /** Bits that a share keeps above what is opened of it: what does not fit shows there. */
  readonly guard: number
  /** Those of the residual stream: fewer, because all that is written to it comes from tables of words as wide. */
  readonly streamGuard: number
}

const USUAL: Precision = {
  activation: 13,
  residual: 15,
  weight: 13,
  rotary: 13,
  headroom: 1.5,
  guard: 3,
  streamGuard: 2,
}

/** A stream that passes through matrices makes their weights' rounding count for more; the rings have room. */
const CARRIED: Precision = { ...USUAL, weight: 15 }

/** @param weight fraction bits of the weights, where not the usual ones */
export function precisionOf(config: Pick<ModelConfig, 'arch'>, weight?: number): Precision {
  const usual = architectureOf(config).tensors.norms.placement === 'post' ? CARRIED : USUAL
  return weight === undefined ? usual : { ...usual, weight }
}

/** Fraction bits of a weight: a private embedding goes straight to the residual stream's scale. */
export const weightFrac = (role: MatrixRole, p: Precision): number =>
  role === 'embed' ? p.residual : p.weight

/** Bits left of the point that |x| <= high needs. */
export const integerBits = (high: number): number =>
  Math.max(0, Math.ceil(Math.log2(Math.max(high, 2 ** -20))))

/** An inverse table's geometry: see `inverse`. */
export interface InverseWidths {
  /** Ring that the argument is opened in, its fraction bits, table entries, and the fine level's shift. */
  readonly ring: number
  readonly frac: number
  readonly entryBits: number
  readonly fineShift?: number
  /** How many levels, where there are more than two: one hop more. */
  readonly levels?: number
  /** Smallest argument that the table tells apart, in its real scale. */
  readonly floor: number
}

/** Degree of the inverse tables. */
export const INVERSE_DEGREE = 5
/**
 * Rings follow from the geometry that is chosen here, so geometries are compared by what the operations declare at
 * typical ones: a table in Z_2^40, and a product in Z_2^60 of an argument opened in Z_2^32 with an inverse opened in
 * Z_2^36.
 */
const TYPICAL_RING = 40
const TYPICAL = { ring: 60, argument: { ring: 32, lift: 60, width: 1 }, inverse: { ring: 36, lift: 60 } }
/** Low bits of the argument that a bottom segment spans: the resolution there. */
const SEGMENT_BITS = 13

/** The most octaves that two levels reach, and the most levels. */
const TWO_LEVEL_OCTAVES = 20
const MOST_LEVELS = 8
const MOST_OCTAVES = 40
/** Arguments and masks are added as float64 integers. */
const MOST_RING = 52

/**
 * A table for arguments in [low, high] with at most `maxFrac` fraction bits; one level or two, whichever makes fewer dealt
 * bytes for so many arguments and columns that their inverses multiply, and up to eight beyond 20 octaves. Plans that
 * differ by `high` alone have equal steps where they agree on `most`. Throws `RangeTooWide` beyond 40.
 */
export function inverseWidths(
  [low, high]: Interval,
  what: string,
  uses: { scalars: number; columns: number },
  maxFrac = 64,
  most = high,
): InverseWidths {
  // One sixteenth is kept free, which is at least one coarse segment.
  const top = Math.ceil(Math.log2(high * (16 / 15)))
  const bottom = Math.floor(Math.log2(low))
  const octaves = top - bottom
  const isDeep = Math.ceil(Math.log2(most * (16 / 15))) - bottom > TWO_LEVEL_OCTAVES
  const oneLevel = uses.scalars * inverseTableBits(octaves + 1, 1)
  const twoLevels = uses.scalars * inverseTableBits((octaves + 2) / 2, 2) + uses.columns * SECOND_LEVEL_BITS
  if (!isDeep && octaves < 12 && oneLevel <= twoLevels) {
    // An interval may start a whole segment below its value, so the lowest value stands two segments above zero.
    const entryBits = Math.max(octaves, 2) + 1
    const ring = Math.min(entryBits + SEGMENT_BITS, maxFrac + top)
    return { ring, frac: ring - top, entryBits, floor: 2 ** (top - entryBits) }
  }
  if (octaves > MOST_OCTAVES)
    throw new RangeTooWide(
      `${what} spans ${octaves} octaves (${low} to ${high}); the tables reach ${MOST_OCTAVES}`,
    )
  const levels = isDeep ? fewestBytes(octaves) : 2
  const entryBits = Math.ceil((octaves + levels) / levels)
  // All levels' segments together: each level spans two of the one above it.
  const segments = levels * (entryBits - 1) + 1
  const fineShift = Math.min(SEGMENT_BITS, maxFrac + top - segments, MOST_RING - segments)
  const ring = fineShift + segments
  const widths = { ring, frac: ring - top, entryBits, fineShift, floor: 2 ** (top - segments) }
  return levels === 2 ? widths : { ...widths, levels }
}

/** Dealt bits of one value's tables. */
const inverseTableBits = (entryBits: number, levels: number): number =>
  inverseWords({ entryBits, degree: INVERSE_DEGREE, levels }) * TYPICAL_RING

/** Dealt bits of a product by an inverse for each column: it has a factor more where the inverse has two levels. */
function productBits(levels: 1 | 2): number {
  const { ring, argument, inverse } = TYPICAL
  const parts = levels === 1 ? 1 : 3
  // Every inverse multiplies several columns, and what is dealt of it alone is dealt once.
  return bitsPerColumn(timesInverse(argument, { ...inverse, width: parts }, parts, 2), ring)
}

const SECOND_LEVEL_BITS = productBits(2) - productBits(1)

/** Three to eight levels, whose tables and products of masks make the fewest words. */
function fewestBytes(octaves: number): number {
  const words = (levels: number): number => {
    const entryBits = Math.ceil((octaves + levels) / levels)
    return inverseWords({ entryBits, degree: INVERSE_DEGREE, levels }) + levelProducts(levels)
  }
  let best = 3
  for (let levels = 4; levels <= MOST_LEVELS; levels++) if (words(levels) < words(best)) best = levels
  return best
}

/** Widths of one normalisation x / rms(x). */
export interface NormWidths {
  /** Opening of x; ring of its square sum. */
  readonly open: number
  readonly square: number
  readonly table: InverseWidths
  /** Opening of 1/rms and its fraction bits. */
  readonly root: number
  readonly rootFrac: number
}

/**
 * @param config how many columns are normed, and eps
 * @param p `residual`: fraction bits of x
 * @param x largest |what is normed|
 * @param meanSquare range of the mean square
 * @param largest |what the root multiplies|: its fraction bits follow
 * @param columns how many it multiplies
 */
export function normWidths(
  config: Pick<ModelConfig, 'dim' | 'eps'>,
  p: Precision,
  x: number,
  meanSquare: Interval,
  largest: number,
  columns: number,
  what: string,
): NormWidths {
  const room = p.headroom
  const interval: Interval = [
    ((meanSquare[0] + config.eps) * config.dim) / room ** 2,
    (meanSquare[1] + config.eps) * config.dim * room ** 2,
  ]
  const table = inverseWidths(interval, what, { scalars: 1, columns })
  const rootFrac = p.activation + 1 + integerBits(largest * room)
  const root = rootFrac + integerBits(Math.sqrt(config.dim / table.floor)) + 4
  const open = p.residual + integerBits(x * room) + 2
  const square = table.ring + 2 * p.residual - table.frac + 2
  if (square > 64) throw new RangeTooWide(`${what}: the square sum needs ${square} bits`)
  return openedAs({ open, square, table, root, rootFrac }, open, config.dim)
}

/**
 * The widths of a norm over rows of `dim` values that are opened with so many bits. No sum of squares of values that fit
 * wraps, so that one beyond the table is noticed.
 */
export const openedAs = (w: NormWidths, open: number, dim: number): NormWidths => ({
  ...w,
  open,
  square: Math.min(64, Math.max(w.square, 2 * (open - 2) + Math.ceil(Math.log2(dim)) + 1)),
})

/** Bits that a value of so many takes that is the result of a norm: a row's values are sqrt(width) at most, whatever the text. */
export const normalBits = (width: number, largest: number, p: Precision): number =>
  p.activation + integerBits(Math.max(largest * p.headroom, Math.sqrt(width))) + 2

/** Opened width of the whole model's residual stream: one scale throughout. */
export const residualRing = (ranges: Ranges, p: Precision): number => {
  const x = Math.max(ranges.final.x, ...ranges.layers.map((l) => l.x))
  return p.residual + integerBits(x * p.headroom) + 2
}
