/** What the owner's input to a plan is. */
import { fraction, UNSCALED } from '../../scale.ts'
import type { InputType } from '../input-type.ts'
import { projectionRing } from './attention.ts'
import { Block, type ModelSpec } from './block.ts'

/** The input of a model's plans: embeddings, or one-hots, which are integers, where the embedding is private. */
export const inputType = (spec: ModelSpec): InputType => inputOf(new Block(spec, 3, {}))

/** The input of a plan that is being built: what is public comes normalised where nothing but a norm reads it. */
export function inputOf(block: Block): InputType {
  const { spec, graph, precision, stream: ring } = block
  if (block.isPrivate('embed'))
    return { width: graph.tables.reduce((sum, { rows }) => sum + rows, 0), ring, scale: UNSCALED }
  // Where attention reads what the embedding's norm makes, the stream comes centred beside it.
  const width = spec.config.dim * (block.readsStream(0) ? 2 : 1)
  if (!block.isNormalised(0)) return { width, ring, scale: fraction(precision.residual) }
  return {
    width,
    ring: projectionRing(block, spec.ranges.layers[0], 0),
    scale: fraction(precision.activation),
  }
}
