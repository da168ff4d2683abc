/** Attention: projections, logits, weights, and the mixed values divided by the weights' sums. */

import { headDim, queryWidth } from '../../../../model/architectures/config.ts'
import { rotaryFrequencies, turnStretch, windowOf } from '../../../../model/rope.ts'
import { inverseLevels, timesInverse } from '../../ops/composed/open-inverse.ts'
import { lastRow } from '../../ops/last-row.ts'
import { mix } from '../../ops/mix.ts'
import { open } from '../../ops/open.ts'
import { product } from '../../ops/product.ts'
import { rotary } from '../../ops/rotary.ts'
import { scores } from '../../ops/scores.ts'
import { slice } from '../../ops/slice.ts'
import { truncate } from '../../ops/truncate.ts'
import { fraction } from '../../scale.ts'
import type { Share } from '../../values.ts'
import { type Block, weightIndex } from './block.ts'
import { placed, RangeTooWide } from './errors.ts'
import { headWidths, normed, ownRanges, written, writtenColumns, writtenRing } from './own-norm.ts'
import type { LayerRanges, OwnNormRanges } from './ranges.ts'
import { attentionPowers, attentionWidths, inverseSums } from './softmax.ts'
import { integerBits, normWidths } from './widths.ts'

/** What a block adds to the residual stream, and the stream that it adds it to where that is its own norm's output. */
export interface Added {
  readonly output: Share
  readonly residual?: Share
}

/** Attention over the residual stream, or over an owner's normalised embeddings in `projectionRing`. */
export function attention(block: Block, x: Share, r: LayerRanges, layer: number): Added {
  const { plan, precision: p } = block
  const { config } = block.spec
  const f = p.activation
  const w = placed({ layer, role: 'qkv' }, () => attentionWidths(block, r))
  const s = w.softmax
  const hd = headDim(config)
  const own = queryWidth(config)
  const kv = config.kvHeads * hd
  const h = { heads: config.heads, kvHeads: config.kvHeads, headDim: hd }
  const rotaryBits = block.graph.isRotary ? p.rotary : 0
  const columns = own + 2 * kv + block.gainedColumns
  const qkv = block.biased(projected(block, x, r, layer, columns), layer, 'qkv')
  const frequencies = rotaryFrequencies(config, layer)
  const amplitude = turnStretch(config)
  const ranges = placed({ layer, role: 'qkv' }, () => ownRanges(block, r))
  const turned = (from: number, width: number, source: Share): Share => {
    const part = slice(plan, source, from, width)
    return rotaryBits === 0
      ? part
      : rotary(plan, part, { headDim: hd, frequencies, amplitude, frac: rotaryBits })
  }
  const headsOf = (from: number, width: number, norm: OwnNormRanges | undefined, source = qkv): Share => {
    if (!norm) return truncate(plan, turned(from, width, source), p.weight + rotaryBits, w.scores)
    const gained = turned(from + own + 2 * kv, width, source)
    return normed(block, slice(plan, source, from, width), gained, headWidths(block, norm, w.scores))
  }
  const rows = block.isLast(layer) ? lastRow(plan, qkv) : qkv
  const q = open(plan, headsOf(0, own, ranges.query, rows), { bits: w.scores })
  const keys = `${layer}.k`
  const values = `${layer}.v`
  const k = open(plan, headsOf(own, kv, ranges.key), { bits: w.scores, cache: keys })
  const vShare = truncate(plan, slice(plan, qkv, own + kv, kv), p.weight, s.weights)
  const v = open(plan, vShare, { bits: s.weights, cache: values })
  block.checks.within(vShare, v, { bits: s.valueBits })

  const logits = scores(plan, q, k, keys, h, w.range)
  const powers = attentionPowers(block, logits, w, windowOf(config, layer))

  const outRing = placed({ layer, role: 'out' }, () => writtenRing(block, ranges.added))
  const drop = s.mixedFrac + s.inverseFrac - f
  const wide = outRing + drop
  if (wide > 64) throw new RangeTooWide(`the attention output needs ${wide} bits`, { layer, role: 'out' })
  const mixed = open(
    plan,
    truncate(plan, mix(plan, powers.weights, v, values, h), s.weightFrac + f - s.mixedFrac, s.mixed),
    { bits: s.mixed, lift: wide },
  )
  const rd = inverseSums(block, powers.sums, s, wide)
  const terms = timesInverse(mixed, rd, inverseLevels(s.denominator), hd)
  const out = product(plan, terms, {
    width: own,
    ring: wide,
    scale: fraction(s.mixedFrac + s.inverseFrac),
  })
  const added = block.linear(truncate(plan, out, drop), layer, 'out', writtenColumns(block, ranges.added))
  const output = written(block, block.biased(added, layer, 'out'), ranges.added)
  if (block.residualColumns === 0) return { output }
  const residual = slice(plan, rows, columns, block.residualColumns)
  return { output, residual: truncate(plan, residual, f + p.weight - p.residual, block.stream) }
}

/** Ring of queries, keys and values before they are truncated. Throws `RangeTooWide`. */
export function projectionRing(block: Block, r: LayerRanges, layer: number): number {
  const { precision: p, graph } = block
  const { scores, softmax } = placed({ layer, role: 'qkv' }, () => attentionWidths(block, r))
  const rotary = graph.isRotary ? p.rotary : 0
  const { query, key } = placed({ layer, role: 'qkv' }, () => ownRanges(block, r))
  const heads = [query, key].map((ranges) =>
    ranges
      ? placed({ layer, role: 'qkv' }, () => headWidths(block, ranges, scores)).product
      : p.weight + rotary + scores,
  )
  const carried = block.residualColumns > 0 ? block.stream + p.activation + p.weight - p.residual : 0
  const ring = Math.max(...heads, p.weight + softmax.weights, carried)
  if (ring > 64) throw new RangeTooWide(`queries, keys and values need ${ring} bits`, { layer, role: 'qkv' })
  return ring
}

/** The first product of a block: x normalised, times queries, keys and values, and the residual columns. */
function projected(block: Block, x: Share, r: LayerRanges, layer: number, columns: number): Share {
  const { plan, precision: p, spec } = block
  const ring = projectionRing(block, r, layer)
  const width = columns + block.residualColumns
  if (block.isNormalised(layer)) return block.linear(x, layer, 'qkv', width)
  if (block.readsStream(layer)) {
    const bits = p.activation + integerBits(r.normal1 * p.headroom) + 2
    const drop = p.residual - p.activation
    const rows = truncate(plan, x, drop, Math.min(x.ring - drop, bits + p.guard))
    const opened = open(plan, rows, { bits, lift: ring, weight: weightIndex(layer, 'qkv') })
    block.checks.lifted(rows, opened)
    return block.liftedLinear(opened, layer, 'qkv', width, ring)
  }
  const { config } = spec
  const w = placed({ layer, role: 'qkv' }, () =>
    normWidths(config, p, r.x, r.meanSquare1, r.x, config.dim, 'the first norm'),
  )
  const n = block.normal(x, block.ofStream(w), r.normal1)
  const opened = open(plan, n.value, { bits: n.bits, lift: ring, weight: weightIndex(layer, 'qkv') })
  return block.liftedLinear(opened, layer, 'qkv', width, ring)
}
