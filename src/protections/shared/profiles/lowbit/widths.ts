/** Every ring and every number of bits that is dropped, from what a model's manifest says. */
import type { Form } from './form.ts'
import type { Quantization } from './quantization.ts'

/** log2 of the entries of the exponential's table, and of a norm's table of products. */
export const EXPONENTIAL_BITS = 3
export const NORM_BITS = 4
/** log2 of the lines of an activation, and the fraction bits that they have beyond the argument's. */
export const LINE_BITS = 4
export const LINE_FRACTION = 3
/** Fraction bits of an octave where an attention weight is looked up, and the ring of 64 octaves. */
const SCORE_FRACTION = 5
const OCTAVES = 6
/** Fraction bits of an attention weight, where 1 is the largest score's, and bits of a row's sum of 16 such. */
const WEIGHT_FRACTION = 9
const SUM_BITS = WEIGHT_FRACTION + 4
/** Bits of the sum that are looked up, of the table's words, and of the mixed values that they divide. */
const DENOMINATOR = 10
const QUOTIENT = 16
const MIXED = 15
/** log2 of what 1 / n is times in the quotient's table: a sum of one unit is the least that it tells apart. */
const QUOTIENT_SCALE = 14
/** Bits of a row's mean square that are looked up, and fraction bits of 1/rms beyond the stream's. */
const VARIANCE = 9
const ROOT_FRACTION = 8
/** The residual stream has so many fraction bits more than activations. */
export const STREAM_FRACTION = 2
/** Classifiers are one row's: their ring costs nothing. */
const HEAD = 32
/** A padded position's score is lowered by so many octaves: less than one unit of a weight is left of the largest. */
const PADDING = 26

/** Rings as numbers of bits; `drop` is what a truncation takes off. */
export interface Widths {
  /** Of activations where they are blinded for queries, keys and values. */
  readonly input: number
  readonly scores: { readonly ring: number; readonly drop: number; readonly product: number }
  readonly values: { readonly ring: number; readonly drop: number; readonly product: number }
  /** From a score to where its weight is looked up. */
  readonly exponent: {
    readonly ring: number
    readonly drop: number
    readonly cap: bigint
    readonly padding: bigint
  }
  /** An attention weight: fraction bits of its table and of the public factor, and the ring of their product. */
  readonly weight: { readonly frac: number; readonly factor: number; readonly ring: number }
  readonly denominator: { readonly ring: number; readonly drop: number }
  /** The quotient's table: its ring, its largest value, and what 1 / n is times there. */
  readonly quotient: {
    readonly ring: number
    readonly most: number
    readonly scale: number
    readonly frac: number
  }
  readonly mixed: { readonly ring: number; readonly drop: number }
  /** Attention's output: the ring of the quotient's product, what it drops, and the ring of the product behind it. */
  readonly attended: {
    readonly ring: number
    readonly drop: number
    readonly product: number
    readonly outDrop: number
  }
  /** The stream between two blocks, and where a feed-forward block reads it raw. */
  readonly stream: number
  readonly raw: number
  readonly up: { readonly ring: number; readonly drop: number; readonly product: number }
  readonly hidden: {
    readonly ring: number
    readonly drop: number
    readonly product: number
    readonly downDrop: number
  }
  readonly square: number
  readonly variance: { readonly ring: number; readonly drop: number }
  /** 1/rms: fraction bits, ring where it is opened, and the ring of its product with the stream. */
  readonly root: { readonly frac: number; readonly ring: number; readonly product: number }
  readonly head: { readonly ring: number; readonly product: number }
}

/** The widths of a model. They may come out too wide or negative: `checkWidths` says. */
export function widthsOf(q: Quantization, form: Form): Widths {
  const stream = q.x + STREAM_FRACTION
  const frac = 2 * q.qk
  const scoreRing = frac + OCTAVES
  const scoreDrop = q.x + q.weights.qk - q.qk
  const valueRing = SUM_BITS + q.rings.v + 2
  const valueDrop = q.x + q.weights.v - q.v
  const octaves = 2 ** (OCTAVES - EXPONENTIAL_BITS)
  const factor = octaves + 3
  const denominatorDrop = SUM_BITS - DENOMINATOR + 1
  const mixedDrop = valueRing - MIXED
  // The quotient's product: so many bits more than the mixed values and the sum have dropped make halves of a value's unit.
  const quotientDrop = QUOTIENT_SCALE + denominatorDrop - mixedDrop - 1
  const outDrop = q.v + 1 + q.weights.out - stream
  // A block reads the raw stream where its norm is applied behind it.
  const readsRaw = !form.isCausal
  const upDrop = (readsRaw ? stream : q.x) + q.weights.up - q.g
  const upProduct = q.rings.g + upDrop
  const raw = readsRaw ? Math.max(q.rings.y, upProduct) : q.rings.y
  const hiddenDrop = form.isGated ? q.th : 0
  const downDrop = (form.isGated ? 2 * q.g - q.th : q.g) + q.weights.down - stream
  const hidden = q.rings.y + downDrop
  const input = Math.max(
    ...[scoreRing + scoreDrop, valueRing + valueDrop, raw - STREAM_FRACTION],
    ...(readsRaw ? [] : [upProduct]),
  )
  return {
    input,
    scores: { ring: scoreRing, drop: scoreDrop, product: scoreRing + scoreDrop },
    values: { ring: valueRing, drop: valueDrop, product: valueRing + valueDrop },
    exponent: {
      ring: OCTAVES + SCORE_FRACTION,
      drop: frac - SCORE_FRACTION,
      cap: BigInt(q.cap) << BigInt(SCORE_FRACTION),
      padding: BigInt(PADDING) << BigInt(SCORE_FRACTION),
    },
    weight: { frac: WEIGHT_FRACTION, factor, ring: valueRing + factor },
    denominator: { ring: DENOMINATOR, drop: denominatorDrop },
    quotient: {
      ring: QUOTIENT,
      most: 2 ** (QUOTIENT - 2) - 1,
      scale: 2 ** QUOTIENT_SCALE,
      frac: QUOTIENT_SCALE + denominatorDrop - WEIGHT_FRACTION,
    },
    mixed: { ring: MIXED, drop: mixedDrop },
    attended: {
      ring: raw + outDrop + quotientDrop,
      drop: quotientDrop,
      product: raw + outDrop,
      outDrop,
    },
    stream: q.rings.y,
    raw,
    up: { ring: q.rings.g, drop: upDrop, product: upProduct },
    hidden: { ring: hidden + hiddenDrop, drop: hiddenDrop, product: hidden, downDrop },
    // Of a raw stream that is opened wide, what is dealt for its squares takes a ring wider still.
    square: Math.max(q.rings.sq, raw + 2),
    variance: { ring: VARIANCE, drop: q.rings.sq - VARIANCE },
    root: { frac: ROOT_FRACTION, ring: ROOT_FRACTION + 2, product: input + ROOT_FRACTION },
    head: { ring: HEAD, product: HEAD + ROOT_FRACTION },
  }
}
