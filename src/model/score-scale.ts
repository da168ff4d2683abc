/** What attention multiplies products of queries and keys by. */
import { headDim, type ModelConfig } from './architectures/config.ts'

/**
 * 1 / sqrt(headDim) (Vaswani et al., 2017); times the square of what stretched rotary positions multiply queries and keys
 * by (Peng et al., YaRN, 2023, section 3.4), so that these need not be multiplied themselves.
 */
export function scoreScale(config: ModelConfig): number {
  const { ropeScaling: s } = config
  const amplitude = s?.kind === 'yarn' || s?.kind === 'longrope' ? s.attention : 1
  return amplitude ** 2 / Math.sqrt(headDim(config))
}
