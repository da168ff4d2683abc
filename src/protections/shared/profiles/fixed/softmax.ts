/**
 * Attention's weights: powers of the logits, and the inverse of their sums. The powers are those under a secret cap that
 * follows each row's maximum, or SPRINT's under a constant one.
 */
import { queryWidth } from '../../../../model/architectures/config.ts'
import { addConstant } from '../../ops/add-constant.ts'
import { belowCap } from '../../ops/below-cap.ts'
import { openInverse } from '../../ops/composed/open-inverse.ts'
import { exponential } from '../../ops/exponential.ts'
import { hidePositions } from '../../ops/hide-positions.ts'
import { highestLevel } from '../../ops/highest-level.ts'
import { open } from '../../ops/open.ts'
import { sumPositions } from '../../ops/sum-positions.ts'
import { thermometer } from '../../ops/thermometer.ts'
import { truncate } from '../../ops/truncate.ts'
import type { Opened, Share } from '../../values.ts'
import { BASIS_BITS, type Block } from './block.ts'
import { type CappedWidths, cappedPowers, cappedWidths } from './capped-softmax.ts'
import { RangeTooWide } from './errors.ts'
import { ownRanges, writtenRing } from './own-norm.ts'
import type { Interval, LayerRanges } from './ranges.ts'
import { type SoftcapWidths, softcapped, softcapWidths } from './softcap.ts'
import { hiddenOctaves, type SoftmaxWidths, softmaxWidths, type WeightWidths } from './softmax-widths.ts'
import { INVERSE_DEGREE } from './widths.ts'

/** Weights before the division, pairs x heads at `weightFrac`, and their sums, rows x heads. */
export interface Powers {
  readonly weights: Opened
  readonly sums: Opened
}

/** What turns a layer's logits into weights: SPRINT's constant cap or the row's maximum, behind a soft cap or none. */
export interface AttentionWidths {
  readonly softcap?: SoftcapWidths
  readonly softmax: SoftmaxWidths | CappedWidths
  /** Ring of queries, keys and logits. */
  readonly scores: number
  /** Logits that the widths tell apart, in octaves. */
  readonly range: Interval
  /**
   * Octaves by which positions that a row does not see are lowered before its maximum is looked for. Where positions turn, or
   * a window ends, what is not seen may be above all that is.
   */
  readonly hidden?: number
}

/** Throws `RangeTooWide`. */
export function attentionWidths(block: Block, r: LayerRanges): AttentionWidths {
  const { precision: p, spanBits } = block
  const { config } = block.spec
  const uses = { scalars: config.heads, columns: queryWidth(config) }
  const isPadded = block.graph.attention === 'bidirectional'
  const soft = config.softcap === undefined ? undefined : softcapWidths(p, r.score, config.softcap)
  const capped = (x: number): number => (soft ? soft.cap * Math.tanh(x / soft.cap) : x)
  const range: LayerRanges = {
    ...r,
    score: [capped(r.score[0]), capped(r.score[1])],
    peak: r.peak === undefined ? undefined : capped(r.peak),
  }
  const { softmaxCap, context } = config
  if (isPadded && block.graph.isRotary) {
    if (softmaxCap !== undefined || soft)
      throw new RangeTooWide('an encoder whose positions turn can have no cap on its scores')
    const hidden = hiddenOctaves(range.score)
    const lowest: LayerRanges = { ...range, score: [range.score[0] - hidden, range.score[1]] }
    const softmax = softmaxWidths(p, lowest, spanBits, context, uses)
    return { softmax, scores: softmax.scores, range: scoreRange(softmax), hidden }
  }
  const softmax =
    softmaxCap === undefined
      ? softmaxWidths(p, range, spanBits, context, uses, isPadded)
      : cappedWidths(p, range, softmaxCap, {
          ...uses,
          spanBits,
          context,
          isPadded,
          outRing: writtenRing(block, ownRanges(block, r).added),
        })
  if (soft) return { softcap: soft, softmax, scores: soft.scores, range: [-soft.limit, soft.limit] }
  return { softmax, scores: softmax.scores, range: scoreRange(softmax) }
}

/** Logits that a softmax tells apart, in octaves. */
const scoreRange = (s: SoftmaxWidths | CappedWidths): Interval =>
  s.kind === 'capped'
    ? [s.centre - s.limit + s.suppressed, s.centre + s.limit]
    : [s.edge, s.edge + 2 ** (s.bins + s.binBits)]

/**
 * Weights of attention logits (pairs x heads, in octaves, Z_2^scores), and their sums.
 * @param window how far a row sees, where not all
 */
export function attentionPowers(block: Block, logits: Share, w: AttentionWidths, window?: number): Powers {
  const { plan } = block
  const { softcap, softmax: s, hidden } = w
  const capped = softcap ? softcapped(block, logits, softcap, s.scores) : logits
  const amount = hidden === undefined ? undefined : BigInt(hidden) << BigInt(capped.scale.bits)
  const under = amount === undefined ? capped : hidePositions(plan, capped, amount, window)
  const e = s.kind === 'capped' ? cappedPowers(block, under, s) : softmaxPowers(block, under, s)
  const weights = open(plan, e, { bits: s.weights })
  const d = s.denominator
  const sum = truncate(plan, sumPositions(plan, e), s.weightFrac - d.frac, d.ring, 'unsigned')
  return { weights, sums: open(plan, sum, { bits: d.ring }) }
}

/** Powers of two of logits less a cap that follows each row. */
function softmaxPowers(block: Block, logits: Share, s: SoftmaxWidths): Share {
  const { plan } = block
  const frac = logits.scale.bits
  const shifted = addConstant(plan, logits, BigInt(-s.edge) << BigInt(frac))
  const bins = truncate(plan, shifted, frac + s.binBits, s.bins + block.precision.guard)
  const c = open(plan, bins, { bits: s.bins })
  block.checks.indices(bins, c)
  const N = open(plan, thermometer(plan, c, block.spanBits), { bits: block.spanBits })
  const level = highestLevel(plan, N, logits.width)
  const fine = truncate(plan, logits, frac - s.exponentFrac, s.exponent, 'modular')
  const below = belowCap(plan, fine, level, {
    shift: s.exponentFrac + s.binBits,
    offset: BigInt(s.edge) << BigInt(s.exponentFrac),
  })
  // Padding copies a row that is there, so it may count for the cap; its weight alone must be zero.
  const unpadded =
    s.suppressed > 0 ? hidePositions(plan, below, BigInt(s.suppressed) << BigInt(s.exponentFrac)) : below
  const z = open(plan, unpadded, { bits: s.exponent })
  const powers = exponential(plan, z, {
    entryBits: s.exponentEntries,
    frac: s.weightFrac,
    factorBits: s.factorBits,
    ring: s.weights + s.factorBits,
  })
  return truncate(plan, powers, s.factorBits, s.weights)
}

/** 1 / sums, opened for a product in Z_2^lift: as many levels as `inverseLevels` of the denominator says. */
export function inverseSums(block: Block, sums: Opened, s: WeightWidths, lift: number): Opened {
  return openInverse(block.plan, sums, {
    ...s.denominator,
    f: (y) => 1 / y,
    degree: INVERSE_DEGREE,
    frac: s.inverseFrac,
    basisBits: BASIS_BITS,
    bits: s.inverse,
    lift,
  })
}
