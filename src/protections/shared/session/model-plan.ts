/** What all parties derive from a bundle's public manifest: the same plans, and a hash that proves it. */

import type { ModelConfig } from '../../../model/architectures/config.ts'
import { buckets } from '../../../model/buckets.ts'
import { canonicalJson, type Manifest, sha256 } from '../../../model/files/manifest.ts'
import { continuesText } from '../../../model/graph/graph-of.ts'
import { RowCache } from '../cache.ts'
import type { Plan, WeightUse } from '../plan.ts'
import { type ModelSpec, visibilityOf } from '../profiles/fixed/block.ts'
import { compileModel } from '../profiles/fixed/compile.ts'
import { type InputType, inputType } from '../profiles/fixed/input-type.ts'
import {
  allMatrices,
  type EndRole,
  type MatrixRole,
  matrixVisibility,
  type Visibility,
} from '../profiles/fixed/matrices.ts'
import { multiplies, shapeOf, spanBitsOf } from '../profiles/fixed/model.ts'
import type { Ranges } from '../profiles/fixed/ranges.ts'
import { privateWeights } from '../profiles/fixed/weights.ts'
import { precisionOf } from '../profiles/fixed/widths.ts'
import { type Schedule, schedule } from '../schedule.ts'
import type { Shape } from '../shape.ts'

/** Changes whenever a plan of the same metadata would: parties of different engines must not meet. */
export const ENGINE_VERSION = 4

/** From this many rows on, bytes weigh more than hops. */
const LEAN_ROWS = 8

/** The bundle was not calibrated for the profile. */
export class ProfileError extends Error {
  override readonly name = 'ProfileError'
}

/**
 * A model's plans, made when first needed: one for each number of bits that count its positions, and a decoder's lean one
 * for long prompts.
 */
export class ModelPlans {
  readonly spec: ModelSpec
  readonly #plans = new Map<string, { plan: Plan; schedule: Schedule }>()
  #input?: InputType

  constructor(spec: ModelSpec) {
    this.spec = spec
  }

  get config(): ModelConfig {
    return this.spec.config
  }

  /** What the owner puts in, row by row. */
  get input(): InputType {
    this.#input ??= inputType(this.spec)
    return this.#input
  }

  get inputWidth(): number {
    return this.input.width
  }

  /** Numbers of rows that a pass may have, where not any will do: an encoder's passes have a bucket's. */
  get rowCounts(): number[] | undefined {
    return continuesText(this.config) ? undefined : buckets(this.config)
  }

  /** A requested shape as this model's plans see it. */
  shapeOf(shape: Shape): Shape {
    return shapeOf(this.config, shape)
  }

  /** A place for the keys and values of a pass: `kept` where later passes go on from them, an encoder's never do. */
  cacheOf(shape: Shape, kept: RowCache): RowCache {
    return continuesText(this.config) ? kept : new RowCache(shape.rows)
  }

  /** Whether one of the model's ends is computed privately. */
  isPrivate(end: EndRole): boolean {
    return this.spec.ends?.[end] === 'private'
  }

  of(shape: Pick<Shape, 'base' | 'rows' | 'lean'>): { plan: Plan; schedule: Schedule } {
    const bits = spanBitsOf(shape)
    const lean = continuesText(this.config) && (shape.lean === true || shape.rows >= LEAN_ROWS)
    const key = `${bits} ${lean}`
    let known = this.#plans.get(key)
    if (!known) {
      const plan = compileModel(this.spec, bits, { lean })
      known = { plan, schedule: schedule(plan) }
      this.#plans.set(key, known)
    }
    return known
  }

  /** Whether the plans multiply by a matrix of this visibility. */
  multiplies(layer: number, role: MatrixRole, visibility: Visibility): boolean {
    return multiplies(this.spec, layer, role, visibility)
  }

  /** A plan to take the weights from: they have the same rings in every one. */
  get anyPlan(): Plan {
    return this.of({ base: 0, rows: 1 }).plan
  }

  /** The private weights that the server has. */
  privateWeights(): WeightUse[] {
    return privateWeights(this.anyPlan)
  }

  /** Whether the private weights are in pieces, of which no party has all. */
  get isSplit(): boolean {
    return this.spec.custody === 'split'
  }
}

/** The plans that a manifest describes. Throws `ProfileError` when it has no calibration for `fixed`. */
export function modelPlans(
  manifest: Pick<Manifest, 'config' | 'tensors' | 'profile' | 'name' | 'custody'>,
): ModelPlans {
  const fixed = manifest.profile.fixed as { ranges?: Ranges } | undefined
  if (!fixed?.ranges)
    throw new ProfileError(
      `Model '${manifest.name}' is not calibrated for 'fixed': sotto model calibrate BUNDLE --text FILE.`,
    )
  const isPublic = (name: string): boolean =>
    manifest.tensors.find((t) => t.name === name)?.visibility === 'public'
  const { config } = manifest
  const end = (role: EndRole): Visibility => matrixVisibility(config, config.layers, role, isPublic)
  return new ModelPlans({
    config,
    ranges: fixed.ranges,
    custody: manifest.custody?.kind,
    visibility: (layer, role) => matrixVisibility(config, layer, role, isPublic),
    ends: { embed: end('embed'), head: end('head'), ...(config.head ? { pool: end('pool') } : {}) },
  })
}

/** Everything that a plan is made from: public, all of it. */
export function planMetadata(plans: ModelPlans) {
  const { config, ranges } = plans.spec
  const custody = plans.isSplit ? 'split' : undefined
  const roles = allMatrices(config).map(({ layer, role }) => visibilityOf(plans.spec, layer, role))
  return { version: ENGINE_VERSION, config, ranges, precision: precisionOf(config), roles, custody }
}

/** SHA-256 over it. */
export const planHash = (plans: ModelPlans): Promise<string> =>
  sha256(new TextEncoder().encode(canonicalJson(planMetadata(plans))))
