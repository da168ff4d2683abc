/**
 * The smallest profile there could be, to prove the door: a model is one private matrix, which multiplies the owner's
 * embeddings. Whole steps of 2^-bits stand for reals, in rings that need no calibration.
 */
import type { ModelConfig, TensorLookup } from '../../src/model/architectures/config.ts'
import type { Visibility } from '../../src/model/files/manifest.ts'
import { input } from '../../src/protections/shared/ops/input.ts'
import { lastRow } from '../../src/protections/shared/ops/last-row.ts'
import { linearPrivate } from '../../src/protections/shared/ops/linear-private.ts'
import { openToServer } from '../../src/protections/shared/ops/open-to-server.ts'
import { release } from '../../src/protections/shared/ops/release.ts'
import { truncate } from '../../src/protections/shared/ops/truncate.ts'
import { PlanBuilder } from '../../src/protections/shared/plan.ts'
import { ProfileError } from '../../src/protections/shared/profiles/errors.ts'
import type { ModelManifest } from '../../src/protections/shared/profiles/model-manifest.ts'
import type { PlanVariant, Profile, ProfiledModel } from '../../src/protections/shared/profiles/profile.ts'
import type { Measurement, Workshop } from '../../src/protections/shared/profiles/workshop.ts'
import { fraction } from '../../src/protections/shared/scale.ts'
import type { Shape } from '../../src/protections/shared/shape.ts'
import type { EncodedMatrix } from '../../src/protections/shared/weights/held.ts'

const ID = 'toy'
const RING = 40
/** The matrix [dim x dim], stored as [out, in]. */
const MATRIX = 'model.layers.0.self_attn.o_proj.weight'

/** W [in x out] in steps of 2^-bits. */
export function encodedMatrix(tensors: TensorLookup, dim: number, bits: number): Int16Array {
  const w = tensors.get(MATRIX)
  if (!w) throw new Error(`There is no tensor '${MATRIX}'.`)
  return Int16Array.from({ length: dim * dim }, (_, i) =>
    Math.round(w.data[(i % dim) * dim + Math.floor(i / dim)] * 2 ** bits),
  )
}

class ToyModel implements ProfiledModel {
  readonly profile = ID
  readonly config: ModelConfig
  readonly isSplit = false
  readonly #bits: number

  constructor({ name, config, profile }: ModelManifest) {
    const entry = profile[ID] as { bits?: number } | undefined
    if (entry?.bits === undefined) throw new ProfileError(`Model '${name}' has no bits.`, ID)
    this.config = config
    this.#bits = entry.bits
  }

  get input() {
    return { width: this.config.dim, ring: RING, scale: fraction(this.#bits) }
  }

  get metadata() {
    return { profile: ID, config: this.config, bits: this.#bits }
  }

  isPrivate(): boolean {
    return false
  }

  shapeOf(shape: Shape): Shape {
    return shape
  }

  variant(): PlanVariant {
    return { key: '', compile: () => this.#compile() }
  }

  encode(tensors: TensorLookup, of: readonly Visibility[]): EncodedMatrix[] {
    if (!of.includes('private')) return []
    const { dim } = this.config
    return [{ name: MATRIX, k: dim, n: dim, data: encodedMatrix(tensors, dim, this.#bits), biases: [] }]
  }

  #compile() {
    const plan = new PlanBuilder()
    const x = input(plan, this.input)
    const weight = { name: MATRIX, index: 0, n: this.config.dim, scale: fraction(this.#bits) }
    const y = linearPrivate(plan, openToServer(plan, x, weight.index), { ...weight, visibility: 'private' })
    release(plan, lastRow(plan, truncate(plan, y, this.#bits)))
    return plan.finish()
  }
}

/** There is nothing to measure, but texts are gone through all the same. */
const measurement: Measurement = {
  add: (sequences) => void [...sequences],
  entry: { bits: 8 },
}

const workshop: Workshop = {
  foldedAway: () => () => false,
  measure: () => measurement,
  check: (manifest) => void new ToyModel(manifest).variant().compile(),
  report: () => [{ name: 'all', about: 'all values', measured: 1, limit: 2 ** (RING - 1), bits: RING - 1 }],
}

export const toy: Profile = {
  id: ID,
  publicFields: { '': ['bits'] },
  model: (manifest) => new ToyModel(manifest),
  workshop: async () => workshop,
}
