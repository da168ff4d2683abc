/**
 * Norms of every head of queries and keys (Henry et al., 2020). A norm's gain is private, so it is folded into columns of
 * their own: the product gives every head q once as it is, for the sum of its squares, and once as q times the gain, turned,
 * which is what 1/rms(q) multiplies. Turning and dividing commute.
 */
import { headDim } from '../../../../model/architectures/config.ts'
import { inverseLevels, timesInverse } from '../../ops/composed/open-inverse.ts'
import { open } from '../../ops/open.ts'
import { product } from '../../ops/product.ts'
import { truncate } from '../../ops/truncate.ts'
import { fraction } from '../../scale.ts'
import type { Share } from '../../values.ts'
import type { Block } from './block.ts'
import { RangeTooWide } from './errors.ts'
import type { HeadRanges, LayerRanges } from './ranges.ts'
import { integerBits, type NormWidths, normWidths } from './widths.ts'

/** Widths of the norm of a head. */
export interface HeadWidths extends NormWidths {
  /** Fraction bits of what is opened, and the ring of it times its gain. */
  readonly frac: number
  readonly gained: number
  /** Ring of the normed head before it is truncated. */
  readonly ring: number
  /** Ring of the product that it comes from. */
  readonly product: number
  /** Ring of the result. */
  readonly scores: number
}

/**
 * What calibration found of a layer's queries and keys where their heads are normed; nothing where they are not. Throws
 * `RangeTooWide` where it did not look.
 */
export function headRanges(
  block: Block,
  { query, key }: LayerRanges,
  layer: number,
): { query?: HeadRanges; key?: HeadRanges } {
  if (!block.graph.layers[layer].queryNorm) return {}
  if (!query || !key) throw new RangeTooWide('the norms of heads were not measured', { layer, role: 'qkv' })
  return { query, key }
}

/** @param scores ring of queries and keys. Throws `RangeTooWide`. */
export function headWidths(block: Block, r: HeadRanges, scores: number): HeadWidths {
  const { precision: p, graph } = block
  const { eps } = block.spec.config
  const f = p.activation
  const hd = headDim(block.spec.config)
  const least = Math.sqrt(r.meanSquare[0] + eps) / p.headroom
  // So many that the smallest head keeps the activations' precision.
  const frac = Math.min(f + p.weight, f + 1 + Math.max(0, Math.ceil(-Math.log2(least))))
  const what = 'the norm of a head'
  const w = normWidths({ dim: hd, eps }, { ...p, residual: frac }, r.raw, r.meanSquare, r.gained, hd, what)
  const gained = frac + integerBits(r.gained * p.headroom) + 2
  const ring = scores + frac + w.rootFrac - f
  const rotary = graph.isRotary ? p.rotary : 0
  const own = Math.max(w.open, gained + rotary) + f + p.weight - frac
  const widest = Math.max(ring, own)
  if (widest > 64) throw new RangeTooWide(`${what} needs ${widest} bits`)
  return { ...w, frac, gained, ring, product: own, scores }
}

/**
 * Heads divided by their root mean square, at the activations' scale mod 2^scores. Three openings.
 * @param raw as the product gives them
 * @param gained the same times the gains, and turned
 */
export function normedHeads(block: Block, raw: Share, gained: Share, w: HeadWidths): Share {
  const { plan, precision: p } = block
  const hd = headDim(block.spec.config)
  const own = truncate(plan, raw, raw.scale.bits - w.frac, w.open)
  const { root } = block.root(own, w, { lift: w.square, ring: w.ring, run: hd })
  const narrow = truncate(plan, gained, gained.scale.bits - w.frac, w.gained)
  const opened = open(plan, narrow, { bits: w.gained, lift: w.ring })
  const normed = product(plan, timesInverse(opened, root, inverseLevels(w.table), hd), {
    width: raw.width,
    ring: w.ring,
    scale: fraction(w.frac + w.rootFrac),
  })
  return truncate(plan, normed, w.frac + w.rootFrac - p.activation, w.scores)
}
