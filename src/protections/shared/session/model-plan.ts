/** What all parties derive from a bundle's public manifest: the same plans, and a hash that proves it. */

import type { ModelConfig } from '../../../model/architectures/config.ts'
import { buckets } from '../../../model/buckets.ts'
import { canonicalJson, sha256 } from '../../../model/files/manifest.ts'
import { continuesText } from '../../../model/graph/graph-of.ts'
import { RowCache } from '../cache.ts'
import type { Plan, WeightUse } from '../plan.ts'
import type { InputType } from '../profiles/input-type.ts'
import { profileOf } from '../profiles/lookup.ts'
import type { ModelManifest } from '../profiles/model-manifest.ts'
import type { End, ProfiledModel } from '../profiles/profile.ts'
import { type Schedule, schedule } from '../schedule.ts'
import type { Shape } from '../shape.ts'
import { privateWeights } from '../weights/stationary.ts'

/** Changes whenever a plan of the same metadata would, or what is said of a pass: parties of different engines must not meet. */
const ENGINE_VERSION = 8

/**
 * A model's plans, made when first needed: one for each number of bits that count its positions, and a decoder's of few
 * bytes for long prompts.
 */
export class ModelPlans {
  readonly model: ProfiledModel
  readonly #plans = new Map<string, { plan: Plan; schedule: Schedule }>()

  constructor(model: ProfiledModel) {
    this.model = model
  }

  get config(): ModelConfig {
    return this.model.config
  }

  /** What the owner puts in, row by row. */
  get input(): InputType {
    return this.model.input
  }

  /** Numbers in a row of it. */
  get inputWidth(): number {
    return this.input.width
  }

  /** Numbers of rows that a pass may have, where not any will do: an encoder's passes have a bucket's. */
  get rowCounts(): number[] | undefined {
    return continuesText(this.config) ? undefined : buckets(this.config)
  }

  /** A requested shape as this model's plans see it. */
  shapeOf(shape: Shape): Shape {
    return this.model.shapeOf(shape)
  }

  /** A place for the keys and values of a pass: `kept` where later passes go on from them, an encoder's never do. */
  cacheOf(shape: Shape, kept: RowCache): RowCache {
    return continuesText(this.config) ? kept : new RowCache(shape.rows)
  }

  /** Whether one of the model's ends is computed privately. */
  isPrivate(end: End): boolean {
    return this.model.isPrivate(end)
  }

  /** The plan of a pass and its schedule, compiled when first asked for. Throws what the profile does. */
  of(shape: Pick<Shape, 'base' | 'rows' | 'goal'>): { plan: Plan; schedule: Schedule } {
    const { key, compile } = this.model.variant(shape)
    let known = this.#plans.get(key)
    if (!known) {
      const plan = compile()
      known = { plan, schedule: schedule(plan) }
      this.#plans.set(key, known)
    }
    return known
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
    return this.model.isSplit
  }
}

/** The plans that a manifest describes. Throws `ProfileError` where its profile is unknown, or it is not calibrated. */
export const modelPlans = (manifest: ModelManifest): ModelPlans =>
  new ModelPlans(profileOf(manifest).model(manifest))

/** Everything that a plan is made from: public, all of it. */
export const planMetadata = ({ model }: ModelPlans): object => ({
  version: ENGINE_VERSION,
  custody: model.isSplit ? 'split' : undefined,
  ...model.metadata,
})

/** SHA-256 over it. */
export const planHash = (plans: ModelPlans): Promise<string> =>
  sha256(new TextEncoder().encode(canonicalJson(planMetadata(plans))))
