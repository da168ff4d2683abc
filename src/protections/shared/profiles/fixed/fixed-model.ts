/** A model whose numbers are fixed-point integers in rings that its calibrated ranges need. */

import type { ModelConfig, TensorLookup } from '../../../../model/architectures/config.ts'
import type { Visibility } from '../../../../model/files/manifest.ts'
import { continuesText } from '../../../../model/graph/graph-of.ts'
import type { Goal, Shape } from '../../shape.ts'
import type { EncodedMatrix } from '../../weights/held.ts'
import type { InputType } from '../input-type.ts'
import type { End, PlanOptions, PlanVariant, ProfiledModel } from '../profile.ts'
import type { ModelSpec } from './block.ts'
import { matrixVisibility } from './block.ts'
import { compileModel } from './compile.ts'
import { ID } from './id.ts'
import { allMatrices } from './matrices.ts'
import { multiplies, shapeOf, spanBitsOf } from './model.ts'
import { inputType } from './owner-input.ts'
import { releasedRange } from './released.ts'
import { weightBits } from './weight-bits.ts'
import { encodeWeight } from './weights.ts'
import { precisionOf } from './widths.ts'

/** From this many rows on, bytes weigh more than hops. */
const LONG_ROWS = 8

/** A model whose rings and scales follow from its ranges. */
export class FixedModel implements ProfiledModel {
  readonly profile = ID
  readonly spec: ModelSpec
  #input?: InputType

  constructor(spec: ModelSpec) {
    this.spec = { ...spec, weight: spec.weight ?? weightBits(spec) }
  }

  get config(): ModelConfig {
    return this.spec.config
  }

  get isSplit(): boolean {
    return this.spec.custody === 'split'
  }

  get input(): InputType {
    this.#input ??= inputType(this.spec)
    return this.#input
  }

  get metadata(): {
    config: ModelConfig
    ranges: ModelSpec['ranges']
    precision: object
    roles: Visibility[]
  } {
    const { config, ranges, weight } = this.spec
    const roles = allMatrices(config).map(({ layer, role }) => matrixVisibility(this.spec, layer, role))
    return { config, ranges, precision: precisionOf(config, weight), roles }
  }

  get released(): { place: string; most: number } {
    return releasedRange(this.spec)
  }

  isPrivate(end: End): boolean {
    return this.spec.ends?.[end] === 'private'
  }

  shapeOf(shape: Shape): Shape {
    return shapeOf(this.config, shape)
  }

  /** Throws `RangeTooWide` when compiled, where the ranges need more than 64 bits. */
  variant(shape: Pick<Shape, 'base' | 'rows' | 'goal'>, o: PlanOptions = {}): PlanVariant {
    const bits = spanBitsOf(shape)
    const { goal = this.#goalOf(shape), everyRow = false } = o
    return {
      key: `${bits} ${goal} ${everyRow}`,
      compile: () => compileModel(this.spec, bits, { goal, everyRow }),
    }
  }

  /** Throws `WeightError` where a weight does not fit. */
  *encode(tensors: TensorLookup, of: readonly Visibility[]): Generator<EncodedMatrix> {
    for (const { layer, role } of allMatrices(this.config))
      if (of.some((visibility) => multiplies(this.spec, layer, role, visibility)))
        yield encodeWeight(this.spec, tensors, layer, role)
  }

  #goalOf({ rows, goal }: Pick<Shape, 'rows' | 'goal'>): Goal {
    return continuesText(this.config) && (goal === 'bytes' || rows >= LONG_ROWS) ? 'bytes' : 'hops'
  }
}
