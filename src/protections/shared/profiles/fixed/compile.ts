/** Compiles a model's graph to a plan of the `fixed` profile. */
import { add } from '../../ops/add.ts'
import { input } from '../../ops/input.ts'
import { lastRow } from '../../ops/last-row.ts'
import { release } from '../../ops/release.ts'
import { slice } from '../../ops/slice.ts'
import type { Plan } from '../../plan.ts'
import type { Share } from '../../values.ts'
import type { PlanOptions } from '../profile.ts'
import { attention } from './attention.ts'
import { Block, type ModelSpec } from './block.ts'
import { RangeTooWide } from './errors.ts'
import { feedForward } from './feed-forward.ts'
import { compileHead } from './head.ts'
import { meanRow, PART_BITS } from './mean-row.ts'
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
  const { stream, read } = embed(block)
  let x = stream
  ranges.layers.forEach((r, layer) => {
    block.checks.at(`layer ${layer}`)
    for (const part of [attention, feedForward]) {
      const { output, residual } = part(block, layer === 0 && part === attention ? read : x, r, layer)
      // After the last layer's keys and values only the last row matters.
      const isCut = residual === undefined && part === attention && block.isLast(layer)
      x = add(plan, residual ?? (isCut ? lastRow(plan, x) : x), output)
    }
  })
  const { final } = ranges
  block.checks.at('the final norm')
  const w = normWidths(config, precision, final.x, final.meanSquare, final.x, config.dim, 'the final norm')
  const { head } = block.graph
  const isMean = head.kind === 'labels' && head.reads === 'mean'
  const n = block.normal(x, block.ofStream(w), final.normal, isMean ? PART_BITS : 0)
  const result = compileHead(block, isMean ? meanRow(block, n) : n)
  block.checks.release()
  release(plan, result)
  return plan.finish()
}

/**
 * The residual stream's first value: the owner's embeddings, or its one-hots times the private table; and what the first
 * attention reads, which is the same but where the embedding has a norm of its own.
 */
function embed(block: Block): { stream: Share; read: Share } {
  const { plan, graph } = block
  const { config } = block.spec
  const isOwn = block.readsStream(0)
  if (block.isPrivate('embed') && (graph.projection || isOwn))
    throw new RangeTooWide(
      `an embedding ${isOwn ? 'with a norm of its own' : 'that is narrower than the model'} must be public`,
      { role: 'embed' },
    )
  const x = input(plan, inputOf(block))
  if (isOwn) return { stream: slice(plan, x, config.dim, config.dim), read: slice(plan, x, 0, config.dim) }
  const stream = block.isPrivate('embed') ? block.linear(x, config.layers, 'embed', config.dim) : x
  return { stream, read: stream }
}
