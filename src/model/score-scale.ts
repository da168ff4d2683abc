/** What attention multiplies products of queries and keys by. */
import { headDim, type ModelConfig } from './architectures/config.ts'
import { scoreStretch } from './rope.ts'

/**
 * 1 / sqrt(headDim) (Vaswani et al., 2017), or of what a model has in its place; times the square of what stretched rotary positions multiply queries and keys
 * by, where it is the same for all of a head, so that these need not be multiplied themselves.
 */
export const scoreScale = (config: ModelConfig): number =>
  scoreStretch(config) / Math.sqrt(config.scoreDim ?? headDim(config))
