/** What a model's plans depend on besides its ranges: which weights they multiply by, and the shapes that they see. */

import type { ModelConfig } from '../../../../model/architectures/config.ts'
import type { Visibility } from '../../../../model/files/manifest.ts'
import { graphOf } from '../../../../model/graph/graph-of.ts'
import type { Shape } from '../../shape.ts'
import { type ModelSpec, matrixVisibility } from './block.ts'
import { isEnd, type MatrixRole } from './matrices.ts'

/** Bits that count the positions a row may see: plans differ by nothing else of the shape. */
export const spanBitsOf = (shape: { base: number; rows: number }): number =>
  Math.max(3, Math.ceil(Math.log2(shape.base + shape.rows + 1)))

/** A pass's shape as this model sees it: rows of a whole text see one another. */
export const shapeOf = (config: ModelConfig, shape: Shape): Shape =>
  graphOf(config).attention === 'bidirectional' ? { ...shape, seen: shape.base + shape.rows } : shape

/**
 * Whether a model's plans multiply by a matrix of this visibility. Public ends are the owner's own business, but for logits
 * over labels: they are computed between the parties, so that nothing else is released.
 */
export function multiplies(
  spec: ModelSpec,
  layer: number,
  role: MatrixRole,
  visibility: Visibility,
): boolean {
  if (matrixVisibility(spec, layer, role) !== visibility) return false
  if (!isEnd(role) || visibility === 'private') return true
  const { kind } = graphOf(spec.config).head
  return role === 'pool' || (role === 'head' && (kind === 'labels' || kind === 'tags'))
}
