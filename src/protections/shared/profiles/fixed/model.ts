/** The plan of whatever a configuration names: a decoder's or an encoder's. */
import { isEncoder, type ModelConfig } from '../../../../model/architectures/config.ts'
import type { Plan } from '../../plan.ts'
import { fraction, UNSCALED } from '../../scale.ts'
import type { Shape } from '../../shape.ts'
import type { InputType } from '../input-type.ts'
import type { PlanOptions } from '../profile.ts'
import { type ModelSpec, visibilityOf } from './block.ts'
import { compileDecoder, inputWidth } from './decoder.ts'
import { compileEncoder, encoderInput } from './encoder.ts'
import { isEnd, type MatrixRole, type Visibility } from './lower.ts'
import { precisionOf, residualRing } from './widths.ts'

/** The plan for passes whose rows see at most 2^spanBits - 1 positions. Throws `RangeTooWide`. */
export const compileModel = (spec: ModelSpec, spanBits: number, options: PlanOptions = {}): Plan =>
  isEncoder(spec.config) ? compileEncoder(spec, spanBits, options) : compileDecoder(spec, spanBits, options)

/** The input of a model's plans: embeddings, or one-hots, which are integers, where the embedding is private. */
export function inputType(spec: ModelSpec): InputType {
  const { config, ranges } = spec
  if (isEncoder(config)) return encoderInput(spec)
  const p = precisionOf(config)
  const isPrivate = visibilityOf(spec, config.layers, 'embed') === 'private'
  const scale = isPrivate ? UNSCALED : fraction(p.residual)
  return { width: inputWidth(spec), ring: residualRing(ranges, p), scale }
}

/** A pass's shape as this model sees it: an encoder's rows see one another. */
export const shapeOf = (config: ModelConfig, shape: Shape): Shape =>
  isEncoder(config) ? { ...shape, seen: shape.base + shape.rows } : shape

/**
 * Whether a model's plans multiply by a matrix of this visibility. Public ends are the owner's own business, but for a
 * classifier's head: it is computed between the parties, so that nothing but the logits is released.
 */
export function multiplies(
  spec: ModelSpec,
  layer: number,
  role: MatrixRole,
  visibility: Visibility,
): boolean {
  if (visibilityOf(spec, layer, role) !== visibility) return false
  if (!isEnd(role) || visibility === 'private') return true
  return role === 'pool' || (role === 'head' && spec.config.head?.kind === 'classify')
}
