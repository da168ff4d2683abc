/** Compiles a decoder to a plan of the `fixed` profile. */

import { add } from '../../ops/add.ts'
import { input } from '../../ops/input.ts'
import { lastRow } from '../../ops/last-row.ts'
import { open } from '../../ops/open.ts'
import { release } from '../../ops/release.ts'
import { truncate } from '../../ops/truncate.ts'
import type { Plan } from '../../plan.ts'
import { fraction, UNSCALED } from '../../scale.ts'
import type { Share } from '../../values.ts'
import type { PlanOptions } from '../profile.ts'
import { attention } from './attention.ts'
import { Block, type ModelSpec, visibilityOf, weightIndex } from './block.ts'
import { feedForward } from './feed-forward.ts'
import { integerBits, normWidths } from './widths.ts'

export type { ModelSpec } from './block.ts'
export { visibilityOf } from './block.ts'

/** Bits that count the positions a row may see: plans differ by nothing else of the shape. */
export const spanBitsOf = (shape: { base: number; rows: number }): number =>
  Math.max(3, Math.ceil(Math.log2(shape.base + shape.rows + 1)))

/** The plan of a decoder for passes whose rows see at most 2^spanBits - 1 positions. Throws `RangeTooWide`. */
export function compileDecoder(spec: ModelSpec, spanBits: number, options: PlanOptions = {}): Plan {
  const block = new Block(spec, spanBits, options)
  const { plan, precision, residual } = block
  const { config, ranges } = spec
  const ends = config.layers
  let x = embed(block)
  ranges.layers.forEach((r, layer) => {
    const attended = attention(block, x, r, layer).output
    // After the last layer's keys and values only the last row matters.
    if (block.isLast(layer)) x = lastRow(plan, x)
    x = add(plan, x, attended)
    x = add(plan, x, feedForward(block, x, r, layer).output)
  })
  const { final } = ranges
  const w = normWidths(config, precision, final.x, final.meanSquare, final.x, config.dim, 'the final norm')
  const n = block.normal(x, { ...w, open: residual }, final.normal)
  if (visibilityOf(spec, ends, 'head') === 'public') {
    release(plan, n.value)
    return plan.finish()
  }
  const f = precision.activation
  const bits = f + integerBits(final.logits * precision.headroom) + 2
  const ring = bits + precision.weight
  const opened = open(plan, n.value, { bits: n.bits, lift: ring, weight: weightIndex(ends, 'head') })
  const logits = block.biased(block.liftedLinear(opened, ends, 'head', config.vocab, ring), ends, 'head')
  release(plan, truncate(plan, logits, precision.weight, bits))
  return plan.finish()
}

/** Columns of the input: an embedding, or one-hots of token and learned position where the table is private. */
export const inputWidth = (spec: ModelSpec): number => {
  const { config } = spec
  if (visibilityOf(spec, config.layers, 'embed') === 'public') return config.dim
  return config.vocab + (config.arch === 'gpt2' ? config.context : 0)
}

/** The residual stream's first value: the owner's embeddings, or its one-hots times the private table. */
function embed(block: Block): Share {
  const { plan, precision, residual: ring, spec } = block
  const { config } = spec
  const width = inputWidth(spec)
  if (visibilityOf(spec, config.layers, 'embed') === 'public')
    return input(plan, { width, ring, scale: fraction(precision.residual) })
  return block.linear(input(plan, { width, ring, scale: UNSCALED }), config.layers, 'embed', config.dim)
}
