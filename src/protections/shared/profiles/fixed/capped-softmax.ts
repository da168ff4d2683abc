/** SPRINT's softmax: powers (1 + (x - cap) / 256)^256 below a constant cap, over their sum. No row maximum, so fewer hops. */
import { cappedExp } from '../../../../model/math.ts'
import { activate, activationWords } from '../../ops/activate.ts'
import { addConstant } from '../../ops/add-constant.ts'
import { hidePositions } from '../../ops/hide-positions.ts'
import { open } from '../../ops/open.ts'
import { truncate } from '../../ops/truncate.ts'
import { Fitter } from '../../tables/fit.ts'
import type { Share } from '../../values.ts'
import type { Block } from './block.ts'
import { RangeTooWide } from './errors.ts'
import type { Interval, LayerRanges } from './ranges.ts'
import type { WeightWidths } from './softmax-widths.ts'
import { integerBits, inverseWidths, type Precision } from './widths.ts'

/** Fraction bits of the opened logits. */
const ARGUMENT_BITS = 12
/** Bits of a row's largest weight: as many as there is room for. */
const PRECISION = { least: 9, most: 12 }
/** Octaves that a row's maximum may lie below the lowest one measured. */
const DEPTH_MARGIN = 1
/** The largest error of a weight, relative to itself. */
const TOLERANCE = 2 ** -11
/** A segment's octaves, at most: whatever lies so far below what still counts is zero. */
const MOST_WIDTH = 4
const LOG2_SEGMENTS = 8
const LEAST_BASIS_BITS = 10

export interface CappedWidths extends WeightWidths {
  readonly kind: 'capped'
  /** The model's cap in nats, and the power of two that makes all weights at most one. */
  readonly cap: number
  readonly top: number
  /** The table spans [centre - 2^half, centre + 2^half) octaves; logits within +-limit of the centre. */
  readonly centre: number
  readonly half: number
  readonly limit: number
  readonly entryBits: number
  readonly degree: number
  readonly basisBits: number
  /** Octaves by which padded positions are lowered; 0 where there are none. */
  readonly suppressed: number
}

/** The weight of a logit in octaves. */
const weightOf = (cap: number, top: number) => (x: number) => cappedExp(x * Math.LN2, cap) * 2 ** -top
/** log2 of the weight before scaling, and the logit that has a weight. */
const octavesOf = (x: number, cap: number): number => Math.log2(cappedExp(x * Math.LN2, cap))
const logitOf = (octaves: number, cap: number): number =>
  (cap + 256 * (2 ** (octaves / 256) - 1)) * Math.LOG2E

/**
 * Widths for logits of `r.score` whose rows reach `r.peak` at least. `outRing` is the attention output's. Throws
 * `RangeTooWide` where a row's largest weight is too small a part of the largest of all: it would be rounded away.
 */
export function cappedWidths(
  p: Precision,
  r: Pick<LayerRanges, 'score' | 'peak' | 'v'>,
  cap: number,
  o: {
    spanBits: number
    context: number
    scalars: number
    columns: number
    isPadded: boolean
    outRing: number
  },
): CappedWidths {
  const f = p.activation
  const [low, high] = r.score
  const margin = Math.max(1, ((high - low) * (p.headroom - 1)) / 4)
  const peak = r.peak ?? low
  const top = Math.ceil(octavesOf(high + margin, cap))
  const depth = Math.max(0, Math.ceil(top - octavesOf(peak - DEPTH_MARGIN, cap)))
  const value = integerBits(r.v * p.headroom)
  const positions = Math.ceil(Math.log2(o.context))
  // Weights share their ring with values, which come from a product, and are multiplied by the table's basis.
  const ringRoom = Math.min(64 - p.weight, 64 - LEAST_BASIS_BITS) - (f + positions + value + 2)
  // Beside the mixed values' own fraction and the inverse's in the division.
  const depthRoom = Math.min(ringRoom - PRECISION.least, 64 - o.outRing - (f + 2))
  if (!(depth <= depthRoom))
    throw new RangeTooWide(
      `a softmax with the constant cap ${cap} needs every row's largest logit near the largest of all: calibration found ${nats(high)} and a row whose largest is ${nats(peak)}, so with head room weights span 2^-${depth}, and fixed point has room for 2^-${depthRoom}; use a softmax that follows the row's maximum`,
    )
  const weightFrac = Math.min(PRECISION.most, ringRoom - depth) + depth
  const weights = weightFrac + f + positions + value + 2
  const basisBits = Math.min(13, 64 - weights)
  const mixedFrac = f - 1 + depth
  const mixed = mixedFrac + positions + value + 2
  const zero = logitOf(top - weightFrac - 2, cap)
  const suppressed = o.isPadded ? Math.ceil(high + margin - zero + MOST_WIDTH) : 0
  const bottom = low - margin - suppressed
  const centre = Math.round((bottom + high + margin) / 2)
  const limit = Math.max(high + margin - centre, centre - bottom)
  const table = weightTable(weightOf(cap, top), centre, limit, 2 ** -weightFrac)
  const sums: Interval = [2 ** -depth, 2 ** o.spanBits]
  const denominator = inverseWidths(sums, 'the softmax denominator', o, weightFrac, 2 * o.context)
  const inverseFrac = f + 3
  return {
    kind: 'capped',
    scores: 2 * f + table.half + 1 + p.guard,
    valueBits: f + value + 1,
    cap,
    top,
    centre,
    limit,
    ...table,
    basisBits,
    suppressed,
    weights,
    weightFrac,
    mixed,
    mixedFrac,
    denominator,
    inverse: inverseFrac + integerBits(1 / denominator.floor) + 4,
    inverseFrac,
  }
}

const nats = (octaves: number): string => (octaves * Math.LN2).toFixed(1)

/** The fewest words whose segments of at most `MOST_WIDTH` octaves follow the weight to `TOLERANCE` of itself. */
function weightTable(
  f: (x: number) => number,
  centre: number,
  limit: number,
  unit: number,
): { half: number; entryBits: number; degree: number } {
  const least = Math.ceil(Math.log2(limit))
  let best: { half: number; entryBits: number; degree: number } | undefined
  let words = Infinity
  for (const half of [least, least + 1])
    for (let entryBits = 1; entryBits <= LOG2_SEGMENTS; entryBits++) {
      const width = 2 ** (half + 1 - entryBits)
      if (width > Math.min(MOST_WIDTH, 2 * (2 ** half - limit))) continue
      for (let degree = 3; degree <= 12; degree++) {
        const cost = activationWords({ entryBits, degree })
        if (cost >= words) break
        if (!follows(f, centre - limit, centre + limit, width, degree, unit)) continue
        words = cost
        best = { half, entryBits, degree }
      }
    }
  if (!best) throw new RangeTooWide(`attention logits span ${2 * limit} octaves, too many for a constant cap`)
  return best
}

/** Whether segments of a width, borders anywhere, are within the tolerance of f everywhere. */
function follows(
  f: (x: number) => number,
  low: number,
  high: number,
  width: number,
  degree: number,
  unit: number,
): boolean {
  const fitter = new Fitter(degree)
  const c = new Float64Array(fitter.words)
  for (let place = 0; place < 4; place++)
    for (let from = low - (place / 4) * width; from < high; from += width) {
      fitter.fit(f, from, width, 2 ** 40, c, 0)
      for (let i = 0; i <= 16; i++) {
        const x = i / 8 - 1
        const y = c.reduce((sum, v, k) => sum + (v / 2 ** 40) * Math.cos(k * Math.acos(x)), 0)
        const want = f(from + ((x + 1) / 2) * width)
        if (Math.abs(y - want) > TOLERANCE * want + unit) return false
      }
    }
  return true
}

/** Weights of attention logits (pairs x heads, in octaves), mod 2^weights at `weightFrac`: one opening. */
export function cappedPowers({ plan, precision, checks }: Block, logits: Share, w: CappedWidths): Share {
  const bits = ARGUMENT_BITS + w.half + 1
  const unit = (x: number): bigint => BigInt(x) << BigInt(ARGUMENT_BITS)
  const wide = bits + precision.guard
  const rounded = truncate(plan, logits, logits.scale.bits - ARGUMENT_BITS, wide, 'modular')
  const centred = addConstant(plan, rounded, unit(-w.centre), wide)
  const unpadded = w.suppressed > 0 ? hidePositions(plan, centred, unit(w.suppressed)) : centred
  const g = open(plan, unpadded, { bits })
  // Padding lies near the table's end.
  const margin = (2 ** w.half - w.limit) * 2 ** ARGUMENT_BITS
  checks.within(unpadded, g, { segments: w.entryBits + 2, margin })
  const weight = weightOf(w.cap, w.top)
  const powers = activate(plan, g, undefined, {
    f: (x) => weight(x + w.centre),
    limit: w.limit,
    entryBits: w.entryBits,
    degree: w.degree,
    coefficientBits: w.weightFrac,
    basisBits: w.basisBits,
    ring: w.weights + w.basisBits,
  })
  return truncate(plan, powers, w.basisBits, w.weights)
}
