/** Every measured range beside what the chosen rings hold. */

import { headDim, type ModelConfig } from '../../../../model/architectures/config.ts'
import { continuesText, graphOf } from '../../../../model/graph/graph-of.ts'
import type { OwnNormed } from '../../../../model/graph/taps.ts'
import type { RangeEntry } from '../workshop.ts'
import { Block, type ModelSpec } from './block.ts'
import { placed } from './errors.ts'
import { spanBitsOf } from './model.ts'
import { ownRanges } from './own-norm.ts'
import type { Interval, LayerRanges } from './ranges.ts'
import { attentionWidths } from './softmax.ts'
import { integerBits, inverseWidths, type Precision, precisionOf, residualRing } from './widths.ts'

/** What products with a norm of their own are called, and what is normed together. */
const ownNormed: Record<OwnNormed, readonly [about: string, run: 'head' | 'row']> = {
  query: ['queries', 'head'],
  key: ['keys', 'head'],
  added: ["attention's results", 'row'],
  fed: ["the feed-forward block's results", 'row'],
}

const bitsBetween = (limit: number, measured: number): number =>
  Math.log2(limit / Math.max(measured, 2 ** -20))

/** All ranges of a calibrated model, layer by layer. Throws `RangeTooWide` where no ring holds them. */
export function rangeReport(spec: ModelSpec): RangeEntry[] {
  const { config, ranges } = spec
  const p = precisionOf(config, spec.weight)
  const block = new Block(spec, spanBitsOf({ base: 0, rows: config.context }), {})
  const entries: RangeEntry[] = []
  const largest = (
    layer: number | undefined,
    name: string,
    about: string,
    measured: number,
    limit: number,
  ): void => {
    entries.push({ layer, name, about, measured, limit, bits: bitsBetween(limit, measured) })
  }
  /** The power of two above a value with its head room. */
  const power = (measured: number): number => 2 ** integerBits(measured * p.headroom)
  const { eps } = config
  const meanSquare = (
    layer: number | undefined,
    name: string,
    about: string,
    measured: Interval,
    dim = config.dim,
  ): void => {
    const limit = meanSquareLimit({ dim, eps }, measured, about, p)
    const bits = Math.min(bitsBetween(limit[1], measured[1]), bitsBetween(measured[0] + eps, limit[0]))
    entries.push({ layer, name, about, measured, limit, bits })
  }
  const residual = 2 ** (residualRing(ranges, p) - 2 - p.residual)
  ranges.layers.forEach((r, layer) => {
    largest(layer, 'x', 'residual stream', r.x, residual)
    if (graphOf(config).layers[layer].attentionNorm.kind !== 'none')
      meanSquare(layer, 'meanSquare1', 'mean square at the first norm', r.meanSquare1)
    largest(layer, 'normal1', 'normalised, before attention', r.normal1, power(r.normal1))
    for (const [name, own] of Object.entries(ownRanges(block, r))) {
      const [about, run] = ownNormed[name as OwnNormed]
      largest(layer, `${name}.raw`, `${about} before their norm`, own.raw, power(own.raw))
      const width = run === 'head' ? headDim(config) : config.dim
      meanSquare(layer, `${name}.meanSquare`, `mean square of ${about}`, own.meanSquare, width)
      largest(layer, `${name}.gained`, `${about} times their gain`, own.gained, power(own.gained))
    }
    // A softmax under a constant cap has rings of another kind.
    if (config.softmaxCap === undefined) entries.push(scores(block, r, layer))
    largest(layer, 'v', 'attention values', r.v, power(r.v))
    meanSquare(layer, 'meanSquare2', 'mean square at the second norm', r.meanSquare2)
    largest(layer, 'raw', 'first feed-forward product', r.raw, power(r.raw))
    if (r.rawResidual !== undefined)
      largest(layer, 'rawResidual', 'residual beside it', r.rawResidual, power(r.rawResidual))
    largest(layer, 'gate', "activation's input", r.gate, quarterOctave(r.gate * p.headroom))
    if (graphOf(config).isGated) largest(layer, 'up', 'gated values', r.up, power(r.up))
  })
  const { final, pool } = ranges
  largest(undefined, 'x', 'residual stream at the end', final.x, residual)
  meanSquare(undefined, 'meanSquare', 'mean square at the final norm', final.meanSquare)
  largest(undefined, 'normal', 'normalised at the end', final.normal, power(final.normal))
  largest(
    undefined,
    'logits',
    continuesText(config) ? 'logits' : 'results',
    final.logits,
    power(final.logits),
  )
  if (pool)
    largest(
      undefined,
      'pool.input',
      "head's activation input",
      pool.input,
      quarterOctave(pool.input * p.headroom),
    )
  return entries
}

/** Tables of activations end at quarter octaves. */
const quarterOctave = (limit: number): number => 2 ** (Math.ceil(4 * Math.log2(limit)) / 4)

/** What the table of 1 / sqrt tells apart, as mean squares. */
function meanSquareLimit(
  { dim, eps }: Pick<ModelConfig, 'dim' | 'eps'>,
  measured: Interval,
  what: string,
  p: Precision,
): Interval {
  const interval: Interval = [
    ((measured[0] + eps) * dim) / p.headroom ** 2,
    (measured[1] + eps) * dim * p.headroom ** 2,
  ]
  const { ring, frac, floor } = inverseWidths(interval, what, { scalars: 1, columns: dim })
  return [floor / dim, (2 ** (ring - frac) * (15 / 16)) / dim]
}

/** Attention logits: head room is measured against the span, for the softmax follows the row's maximum. */
function scores(block: Block, r: LayerRanges, layer: number): RangeEntry {
  const { range } = placed({ layer, role: 'qkv' }, () => attentionWidths(block, r))
  const toNats = ([low, high]: Interval): Interval => [low / Math.LOG2E, high / Math.LOG2E]
  const room = Math.min(r.score[0] - range[0], range[1] - r.score[1])
  const span = r.score[1] - r.score[0]
  return {
    layer,
    name: 'score',
    about: 'attention logits',
    measured: toNats(r.score),
    limit: toNats(range),
    bits: Math.log2((span + room) / Math.max(span, 1)),
  }
}
