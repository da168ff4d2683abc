/** A model whose numbers are small integers in rings that its quantization needs. */
import type { ModelConfig, TensorLookup } from '../../../../model/architectures/config.ts'
import type { Visibility } from '../../../../model/files/manifest.ts'
import { WeightTable } from '../../../../model/graph/weights.ts'
import type { Shape } from '../../shape.ts'
import type { EncodedMatrix } from '../../weights/held.ts'
import { ProfileError } from '../errors.ts'
import type { InputType } from '../input-type.ts'
import type { ModelManifest } from '../model-manifest.ts'
import type { PlanOptions, PlanVariant, ProfiledModel } from '../profile.ts'
import type { ModelSpec } from './block.ts'
import { checkWidths } from './check-widths.ts'
import { compileModel, inputOf } from './compile.ts'
import { type Form, formOf } from './form.ts'
import { ID } from './id.ts'
import { allMatrices } from './matrices.ts'
import { type Quantization, quantizationOf } from './quantization.ts'
import { tablesOf } from './tables.ts'
import { encodeWeight } from './weights.ts'
import { widthsOf } from './widths.ts'

/** A model whose rings follow from a dozen integers. All matrices are private; the ends are the owner's own. */
export class LowbitModel implements ProfiledModel {
  readonly profile = ID
  readonly spec: ModelSpec

  constructor(spec: ModelSpec) {
    this.spec = spec
  }

  get config(): ModelConfig {
    return this.spec.config
  }

  get isSplit(): boolean {
    return this.spec.isSplit
  }

  get input(): InputType {
    return inputOf(this.spec)
  }

  get metadata(): { profile: string; config: ModelConfig; quantization: Quantization } {
    const { config, quantization } = this.spec
    return { profile: ID, config, quantization }
  }

  /** Logits over labels are no end of the owner's: nothing else of such a model is released. */
  isPrivate(): boolean {
    return false
  }

  shapeOf(shape: Shape): Shape {
    return this.spec.form.isCausal ? shape : { ...shape, seen: shape.base + shape.rows }
  }

  /** One plan for all shapes, but where a maximum is found of all positions. */
  variant(
    { base, rows }: Pick<Shape, 'base' | 'rows' | 'goal'>,
    { everyRow = false }: PlanOptions = {},
  ): PlanVariant {
    const seen = this.spec.quantization.variant === undefined ? 0 : base + rows
    return { key: `${everyRow} ${seen}`, compile: () => compileModel(this.spec, { everyRow }, seen) }
  }

  /** Throws `WeightError` where a weight does not fit. */
  *encode(tensors: TensorLookup, of: readonly Visibility[]): Generator<EncodedMatrix> {
    if (!of.includes('private')) return
    const { config, quantization } = this.spec
    // A table keeps what it has turned: one for each matrix, or a large model would be in memory whole.
    for (const place of allMatrices(config))
      yield encodeWeight(config, quantization, new WeightTable(config, tensors), place)
  }
}

/** What `compile` needs. Throws `ProfileError` where the numbers make no rings. */
export function specOf(
  name: string,
  config: ModelConfig,
  quantization: Quantization,
  { isSplit = false, form = formOf(config) }: { isSplit?: boolean; form?: Form } = {},
): ModelSpec {
  if (form.isCausal && quantization.variant !== undefined)
    throw new ProfileError(`Model '${name}' is of a variant that encoders alone have.`, ID)
  const widths = widthsOf(quantization, form)
  checkWidths(name, widths)
  return { config, form, quantization, widths, tables: tablesOf(config, quantization, form, widths), isSplit }
}

/** The model that a manifest describes. Throws `ProfileError` where it is not quantized, or of another form. */
export const modelOf = (manifest: ModelManifest): LowbitModel =>
  new LowbitModel(
    specOf(manifest.name, manifest.config, quantizationOf(manifest), {
      isSplit: manifest.custody?.kind === 'split',
    }),
  )
