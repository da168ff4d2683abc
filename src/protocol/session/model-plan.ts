/** What all parties derive from a bundle's public manifest: the same plans, and a hash that proves it. */
import type { ModelConfig } from '../../model/config.ts'
import { canonicalJson, type Manifest, sha256 } from '../../model/manifest.ts'
import { compileDecoder, inputWidth, type ModelSpec, spanBitsOf, visibilityOf } from '../compile/decoder.ts'
import {
  allMatrices,
  type EndRole,
  type MatrixRole,
  matrixVisibility,
  type Visibility,
} from '../compile/lower.ts'
import type { Ranges } from '../compile/ranges.ts'
import { privateWeights } from '../compile/weights.ts'
import { FIXED, residualRing } from '../compile/widths.ts'
import type { Plan, Shape, WeightUse } from '../plan.ts'
import { type Schedule, schedule } from '../schedule.ts'

/** Changes whenever a plan of the same metadata would: parties of different engines must not meet. */
export const ENGINE_VERSION = 2

/** From this many rows on, bytes weigh more than hops. */
const LEAN_ROWS = 8

/** The bundle was not calibrated for the profile. */
export class ProfileError extends Error {
  override readonly name = 'ProfileError'
}

/** A model's plans, made when first needed: one for each number of bits that count its positions, and a lean one for long prompts. */
export class ModelPlans {
  readonly spec: ModelSpec
  readonly #plans = new Map<string, { plan: Plan; schedule: Schedule }>()

  constructor(spec: ModelSpec) {
    this.spec = spec
  }

  get config(): ModelConfig {
    return this.spec.config
  }

  /** Ring of the input embeddings; their fraction bits are the profile's. */
  get inputRing(): number {
    return residualRing(this.spec.ranges, FIXED)
  }

  /** One-hots, where the embedding is private, are integers. */
  get inputFrac(): number {
    return this.isPrivate('embed') ? 0 : FIXED.residual
  }

  get inputWidth(): number {
    return inputWidth(this.spec)
  }

  /** Whether one of the model's ends is computed privately. */
  isPrivate(end: EndRole): boolean {
    return this.spec.ends?.[end] === 'private'
  }

  of(shape: Pick<Shape, 'base' | 'rows' | 'lean'>): { plan: Plan; schedule: Schedule } {
    const bits = spanBitsOf(shape)
    const lean = shape.lean === true || shape.rows >= LEAN_ROWS
    const key = `${bits} ${lean}`
    let known = this.#plans.get(key)
    if (!known) {
      const plan = compileDecoder(this.spec, bits, { lean })
      known = { plan, schedule: schedule(plan) }
      this.#plans.set(key, known)
    }
    return known
  }

  /** Whether the plan multiplies by a matrix of this visibility: public ends are the owner's own business. */
  multiplies(layer: number, role: MatrixRole, visibility: Visibility): boolean {
    const isEnd = role === 'embed' || role === 'head'
    return visibilityOf(this.spec, layer, role) === visibility && (!isEnd || visibility === 'private')
  }

  /** The private weights, which have the same steps and rings in every plan. */
  privateWeights(): WeightUse[] {
    return privateWeights(this.of({ base: 0, rows: 1 }).plan)
  }
}

/** The plans that a manifest describes. Throws `ProfileError` when it has no calibration for `fixed`. */
export function modelPlans(manifest: Pick<Manifest, 'config' | 'tensors' | 'profile' | 'name'>): ModelPlans {
  const fixed = manifest.profile.fixed as { ranges?: Ranges } | undefined
  if (!fixed?.ranges)
    throw new ProfileError(
      `Model '${manifest.name}' is not calibrated for 'fixed'. Train or export it again.`,
    )
  const isPublic = (name: string): boolean =>
    manifest.tensors.find((t) => t.name === name)?.visibility === 'public'
  const { config } = manifest
  return new ModelPlans({
    config,
    ranges: fixed.ranges,
    visibility: (layer, role) => matrixVisibility(config, layer, role, isPublic),
    ends: {
      embed: matrixVisibility(config, config.layers, 'embed', isPublic),
      head: matrixVisibility(config, config.layers, 'head', isPublic),
    },
  })
}

/** SHA-256 over everything that a plan is made from. */
export function planHash(plans: ModelPlans): Promise<string> {
  const { config, ranges } = plans.spec
  const roles = allMatrices(config).map(({ layer, role }) => visibilityOf(plans.spec, layer, role))
  const text = canonicalJson({ version: ENGINE_VERSION, config, ranges, precision: FIXED, roles })
  return sha256(new TextEncoder().encode(text))
}
