/** Compiles a model's graph to a plan of the `fixed` profile. */
import { add } from '../../ops/add.ts'
import { input } from '../../ops/input.ts'
import { lastRow } from '../../ops/last-row.ts'
import { release } from '../../ops/release.ts'
import type { Plan } from '../../plan.ts'
import type { Share } from '../../values.ts'
import type { PlanOptions } from '../profile.ts'
import { attention } from './attention.ts'
import { Block, type ModelSpec } from './block.ts'
import { RangeTooWide } from './errors.ts'
import { feedForward } from './feed-forward.ts'
import { compileHead } from './head.ts'
import { inputOf } from './owner-input.ts'
import { normWidths } from './widths.ts'

/**
 * The plan for passes whose rows see at most 2^spanBits - 1 positions. What leaves a causal model is its last row; of a
 * classifier's text it is the row of the first token, which comes last; other models release every row. Throws
 * `RangeTooWide`.
 */
export function compileModel(spec: ModelSpec, spanBits: number, options: PlanOptions = {}): Plan {
  const { config, ranges } = spec
  const block = new Block(spec, spanBits, options)
  const { plan, precision } = block
  let x = embed(block)
  ranges.layers.forEach((r, layer) => {
    block.checks.at(`layer ${layer}`)
    for (const part of [attention, feedForward]) {
      const { output, residual } = part(block, x, r, layer)
      // After the last layer's keys and values only the last row matters.
      const isCut = residual === undefined && part === attention && block.isLast(layer)
      x = add(plan, residual ?? (isCut ? lastRow(plan, x) : x), output)
    }
  })
  const { final } = ranges
  block.checks.at('the final norm')
  const w = normWidths(config, precision, final.x, final.meanSquare, final.x, config.dim, 'the final norm')
  const result = compileHead(block, block.normal(x, block.ofStream(w), final.normal))
  block.checks.release()
  release(plan, result)
  return plan.finish()
}

/** The residual stream's first value: the owner's embeddings, or its one-hots times the private table. */
function embed(block: Block): Share {
  const { config } = block.spec
  if (block.isPrivate('embed') && block.graph.projection)
    throw new RangeTooWide('an embedding that is narrower than the model must be public', { role: 'embed' })
  const x = input(block.plan, inputOf(block))
  return block.isPrivate('embed') ? block.linear(x, config.layers, 'embed', config.dim) : x
}
