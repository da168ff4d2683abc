/** Bit widths of attention's weights and of what they mix, from calibrated ranges. */
import { RangeTooWide } from './errors.ts'
import type { LayerRanges } from './ranges.ts'
import { type InverseWidths, integerBits, inverseWidths, type Precision } from './widths.ts'

/**
 * Attention's widths, whatever makes its weights, for rows that see at most 2^spanBits - 1 positions. What is cached, and
 * all that is multiplied by it, is sized for the whole context: rows that were opened once serve longer spans later.
 */
export interface WeightWidths {
  /** Ring of queries, keys and logits. */
  readonly scores: number
  /** Weights before division, and values: ring and fraction. */
  readonly weights: number
  readonly weightFrac: number
  /** Values are within +-2^(valueBits - 1). */
  readonly valueBits: number
  /** The mixed values' opening. */
  readonly mixed: number
  readonly mixedFrac: number
  readonly denominator: InverseWidths
  readonly inverse: number
  readonly inverseFrac: number
}

/** Of a softmax that follows each row's maximum. */
export interface SoftmaxWidths extends WeightWidths {
  readonly kind: 'following'
  /** Bins of 2^binBits octaves from `edge` on; log2 of the number of bins. */
  readonly binBits: number
  readonly bins: number
  readonly edge: number
  /** Exponent argument: fraction and ring. */
  readonly exponentFrac: number
  readonly exponent: number
  /** Octaves by which padded positions are lowered; 0 where there are none. */
  readonly suppressed: number
  /** log2 of the exponential table's entries, and fraction bits of its public factor. */
  readonly exponentEntries: number
  readonly factorBits: number
}

/** Ring that leaves 14 bits for an exponential table's factor. */
const MOST_WEIGHTS = 50
/** log2 of a bin's octaves, at most, and these. */
const MOST_BIN_BITS = 2
const MOST_BIN = 2 ** MOST_BIN_BITS
/** Fraction bits of a row's largest weight: fewer where values are so large that the ring would be too wide. */
const WEIGHT_BITS = { least: 9, most: 12 }

/**
 * Octaves by which a logit is lowered so that its weight is zero, exactly, whatever else a row sees: from the highest that there
 * is room for to the lowest, and what is left of a weight below that. The room grows with what is measured, and the lowered logits
 * are in it.
 */
export function hiddenOctaves([low, high]: readonly [low: number, high: number]): number {
  const span = high - low
  const zero = WEIGHT_BITS.most + 2 * MOST_BIN + 10
  // The margin at either end, as in `softmaxWidths`: six octaves, or an eighth of span and lowering together.
  return Math.ceil(Math.max(span + 12 + zero, (5 * span + 4 * zero) / 3))
}

/** @param isPadded whether rows may be padding, whose weights must come out as zero, exactly. */
export function softmaxWidths(
  p: Precision,
  r: LayerRanges,
  spanBits: number,
  context: number,
  uses: { scalars: number; columns: number },
  isPadded = false,
): SoftmaxWidths {
  const f = p.activation
  const [low, high] = r.score
  // A quarter of the measured span, and never less than six octaves, beyond either end: the exponential's
  // range must keep one table entry free.
  const margin = Math.max(6, ((high - low) * (p.headroom - 1)) / 4)
  const binBits = high - low + 2 * margin > 120 ? MOST_BIN_BITS : 1
  const bin = 2 ** binBits
  const least = Math.floor((low - margin) / bin) * bin
  const bins = Math.max(3, Math.ceil(Math.log2((high + margin - least) / bin)))
  // What a power of two has to spare goes half below: text that was not calibrated on errs at either end.
  const spare = isPadded ? 0 : 2 ** bins - Math.ceil((high + margin - least) / bin)
  const edge = least - Math.floor(spare / 2) * bin
  if (bins > 8)
    throw new RangeTooWide(`attention logits span ${high - low} octaves; the thermometer reaches 1024`)
  const exponentFrac = 12
  const value = integerBits(r.v * p.headroom)
  const contextBits = Math.ceil(Math.log2(context))
  // A row's sum of weighted values, and two bits.
  const ringOf = (weightBits: number): number => weightBits + 2 * bin + f + contextBits + value + 2
  const spared = Math.max(0, ringOf(WEIGHT_BITS.most) - MOST_WEIGHTS)
  const weightBits = Math.max(WEIGHT_BITS.least, WEIGHT_BITS.most - spared)
  const weightFrac = weightBits + 2 * bin
  const ring = ringOf(weightBits)
  // From the cap down to where the exponential's table, which may start eight octaves above its entry's end, holds zeros.
  const suppressed = isPadded ? weightFrac + 10 : 0
  const lowest = Math.ceil(Math.log2(high + margin - edge + bin + suppressed))
  const rangeBits = isPadded ? Math.max(bins + binBits, lowest) : bins + binBits
  const scores = 2 * f + rangeBits + p.guard
  const mixedFrac = f + 2
  const mixed = mixedFrac + contextBits + value + 2
  const exponent = exponentFrac + rangeBits
  const most = isPadded ? paddedSum(spanBits, context) : 2 ** spanBits
  const denominator = inverseWidths(
    [2 ** (-2 * bin), most],
    'the softmax denominator',
    uses,
    weightFrac,
    2 * context,
  )
  const inverseFrac = f + 5
  return {
    kind: 'following',
    scores,
    valueBits: f + value + 1,
    binBits,
    bins,
    edge,
    exponentFrac,
    exponent,
    suppressed,
    ...exponentialWidths(rangeBits, ring),
    weights: ring,
    weightFrac,
    mixed,
    mixedFrac,
    denominator,
    // A fit that straddles the floor may overshoot it twofold, where a gate leaves it unused.
    inverse: inverseFrac + integerBits(1 / denominator.floor) + 4,
    inverseFrac,
  }
}

/** What an encoder's weights add up to at most: buckets are powers of two or the context, and rounding may lift a weight. */
const paddedSum = (spanBits: number, context: number): number =>
  1.01 * (spanBits === Math.ceil(Math.log2(context + 1)) ? context : 2 ** (spanBits - 1))

/** The smallest exponential table whose product with the public factor fits 64 bits over `ring`. */
function exponentialWidths(rangeBits: number, ring: number): { exponentEntries: number; factorBits: number } {
  // The factor keeps 13 bits at its smallest, which is one entry's span of octaves below one; 12 where that is too many.
  // At most eight octaves an entry: the margins keep that much free.
  for (const kept of [13, 12])
    for (let entries = Math.max(4, rangeBits - 3); entries <= rangeBits + 4; entries++) {
      const factorBits = kept + Math.ceil(2 ** (rangeBits - entries))
      if (ring + factorBits <= 64) return { exponentEntries: entries, factorBits }
    }
  throw new RangeTooWide(`attention weights need ${ring} bits, which leaves no room for the exponential`)
}
