/**
 * Norms of single products: of every head of queries and keys (Henry et al., 2020), and of what a block adds to the stream
 * (Gemma 2). A norm's gain is private, so it is folded into columns of their own: the matrix gives every row y once as it is,
 * for the sum of its squares, and once as y times the gain, which is what 1/rms(y) multiplies. Heads are turned before: turning
 * and dividing commute.
 */
import { headDim } from '../../../../model/architectures/config.ts'
import type { OwnNormed } from '../../../../model/graph/taps.ts'
import { inverseLevels, timesInverse } from '../../ops/composed/open-inverse.ts'
import { open } from '../../ops/open.ts'
import { product } from '../../ops/product.ts'
import { slice } from '../../ops/slice.ts'
import { truncate } from '../../ops/truncate.ts'
import { fraction } from '../../scale.ts'
import type { Share } from '../../values.ts'
import type { Block } from './block.ts'
import { RangeTooWide } from './errors.ts'
import type { LayerRanges, OwnNormRanges } from './ranges.ts'
import { integerBits, type NormWidths, normWidths } from './widths.ts'

/** Widths of such a norm. */
export interface OwnNormWidths extends NormWidths {
  /** How many columns are normed together. */
  readonly run: number
  /** Fraction bits of what is opened, and the ring of it times its gain. */
  readonly frac: number
  readonly gained: number
  /** Ring of what is normed before it is truncated. */
  readonly ring: number
  /** Ring of the product that it comes from. */
  readonly product: number
  /** Ring and fraction bits of the result. */
  readonly result: { readonly ring: number; readonly frac: number }
}

type OwnRanges = Partial<Record<OwnNormed, OwnNormRanges>>

/** What calibration found of the products that have a norm of their own. Throws `RangeTooWide` where it did not look. */
export function ownRanges(block: Block, r: LayerRanges): OwnRanges {
  const [{ queryNorm, keyNorm, attentionOutputNorm, downNorm }] = block.graph.layers
  const normed = { query: queryNorm, key: keyNorm, added: attentionOutputNorm, fed: downNorm }
  const found: OwnRanges = {}
  for (const name of ['query', 'key', 'added', 'fed'] as const) {
    if (!normed[name]) continue
    found[name] = r[name]
    if (!found[name]) throw new RangeTooWide(`the norm of "${name}" was not measured`)
  }
  return found
}

/** @param scores ring of queries and keys. Throws `RangeTooWide`. */
export const headWidths = (block: Block, r: OwnNormRanges, scores: number): OwnNormWidths =>
  widths(block, r, {
    what: 'the norm of a head',
    run: headDim(block.spec.config),
    turned: block.graph.isRotary ? block.precision.rotary : 0,
    result: { ring: scores, frac: block.precision.activation },
  })

/** Throws `RangeTooWide`. */
const addedWidths = (block: Block, r: OwnNormRanges): OwnNormWidths =>
  widths(block, r, {
    what: 'the norm of what a block adds',
    run: block.spec.config.dim,
    turned: 0,
    result: { ring: block.stream, frac: block.precision.residual },
  })

/** @param o.turned fraction bits that turning adds */
function widths(
  block: Block,
  r: OwnNormRanges,
  o: { what: string; run: number; turned: number; result: OwnNormWidths['result'] },
): OwnNormWidths {
  const { precision: p } = block
  const { eps } = block.spec.config
  const { what, run, turned, result } = o
  const from = p.activation + p.weight
  const least = Math.sqrt(r.meanSquare[0] + eps) / p.headroom
  // So many that the smallest row keeps the result's precision.
  const frac = Math.min(from, result.frac + 1 + Math.max(0, Math.ceil(-Math.log2(least))))
  const precise = { ...p, activation: result.frac, residual: frac }
  const w = normWidths({ dim: run, eps }, precise, r.raw, r.meanSquare, r.gained, run, what)
  const gained = frac + integerBits(r.gained * p.headroom) + 2
  const ring = result.ring + frac + w.rootFrac - result.frac
  const product = Math.max(w.open, gained + turned) + p.guard + from - frac
  const widest = Math.max(ring, product)
  if (widest > 64) throw new RangeTooWide(`${what} needs ${widest} bits`)
  return { ...w, run, frac, gained, ring, product, result }
}

/**
 * Rows divided by the root mean square of every run of columns. Four openings.
 * @param raw as the product gives them
 * @param gained the same times the gains, heads turned
 */
export function normed(block: Block, raw: Share, gained: Share, w: OwnNormWidths): Share {
  const { plan } = block
  const { guard } = block.precision
  const own = truncate(plan, raw, raw.scale.bits - w.frac, w.open + guard)
  const { root } = block.root(own, w, { lift: w.square, ring: w.ring, run: w.run })
  const narrow = truncate(plan, gained, gained.scale.bits - w.frac, w.gained + guard)
  const opened = open(plan, narrow, { bits: w.gained, lift: Math.max(w.ring, w.gained + guard) })
  block.checks.lifted(narrow, opened)
  const out = product(plan, timesInverse(opened, root, inverseLevels(w.table), w.run), {
    width: raw.width,
    ring: w.ring,
    scale: fraction(w.frac + w.rootFrac),
  })
  return truncate(plan, out, w.frac + w.rootFrac - w.result.frac, w.result.ring)
}

/** Columns of a matrix that writes to the stream. */
export const writtenColumns = (block: Block, r: OwnNormRanges | undefined): number =>
  block.spec.config.dim * (r ? 2 : 1)

/** Ring of its product. Throws `RangeTooWide`. */
export function writtenRing(block: Block, r: OwnNormRanges | undefined): number {
  const { stream, precision: p } = block
  return r ? addedWidths(block, r).product : stream + p.activation + p.weight - p.residual
}

/** Its product at the stream's scale and in its ring, normed where it has a norm of its own. */
export function written(block: Block, y: Share, r: OwnNormRanges | undefined): Share {
  const { plan, stream, precision: p } = block
  const { dim } = block.spec.config
  if (!r) return truncate(plan, y, p.activation + p.weight - p.residual, stream)
  return normed(block, slice(plan, y, 0, dim), slice(plan, y, dim, dim), addedWidths(block, r))
}
