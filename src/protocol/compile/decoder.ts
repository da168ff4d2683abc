/** Compiles a decoder to a plan of the `fixed` profile. */
import { input } from '../ops/input.ts'
import { add, lastRow } from '../ops/local.ts'
import { release } from '../ops/release.ts'
import type { Plan } from '../plan.ts'
import { attention } from './attention.ts'
import { Block, type CompileOptions, type ModelSpec } from './block.ts'
import { feedForward } from './feed-forward.ts'
import { normWidths } from './widths.ts'

export type { CompileOptions, ModelSpec } from './block.ts'

/** Bits that count the positions a row may see: plans differ by nothing else of the shape. */
export const spanBitsOf = (shape: { base: number; rows: number }): number =>
  Math.max(3, Math.ceil(Math.log2(shape.base + shape.rows + 1)))

/** The plan of a decoder for passes whose rows see at most 2^spanBits - 1 positions. Throws `RangeTooWide`. */
export function compileDecoder(spec: ModelSpec, spanBits: number, options: CompileOptions = {}): Plan {
  const block = new Block(spec, spanBits, options)
  const { plan, precision, residual } = block
  const { config, ranges } = spec
  let x = input(plan, { width: config.dim, ring: residual, frac: precision.residual })
  ranges.layers.forEach((r, layer) => {
    const attended = attention(block, x, r, layer)
    // After the last layer's keys and values only the last row matters.
    if (block.isLast(layer)) x = lastRow(plan, x)
    x = add(plan, x, attended)
    x = add(plan, x, feedForward(block, x, r, layer))
  })
  const { final } = ranges
  const w = normWidths(config, precision, final.x, final.meanSquare, final.x, config.dim, 'the final norm')
  release(plan, block.normal(x, { ...w, open: residual }, final.normal).value)
  return plan.finish()
}
