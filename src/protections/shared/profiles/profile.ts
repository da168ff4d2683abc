/**
 * How numbers are represented inside secret sharing: which rings, at which scale, and what of that is public. Nothing
 * outside a profile's own folder knows one by its name but the list in `registry.ts`; sessions, engines, custody and the
 * developer's tools go by these interfaces.
 */
import type { ModelConfig, TensorLookup } from '../../../model/architectures/config.ts'
import type { Visibility } from '../../../model/files/manifest.ts'
import type { Plan } from '../plan.ts'
import type { Goal, Shape } from '../shape.ts'
import type { EncodedMatrix } from '../weights/held.ts'
import type { InputType } from './input-type.ts'
import type { ModelManifest } from './model-manifest.ts'
import type { Workshop } from './workshop.ts'

/** One way of representing numbers: an entry of the registry. */
export interface Profile {
  /** Key of its entry in a manifest's `profile`, and its name wherever parties agree on one. */
  readonly id: string
  /**
   * Every field that its entry may have, by where it is in the entry (`''` is the entry itself, elements of arrays are
   * `[]`): what it makes public of a model beyond shapes. A model whose entry has another field is not split.
   */
  readonly publicFields: Readonly<Record<string, readonly string[]>>
  /** The model that a manifest describes. Throws `ProfileError` where the entry is missing or incomplete. */
  model(manifest: ModelManifest): ProfiledModel
  /** What the model's developer runs; loaded when asked for, so that a browser need not. */
  workshop(): Promise<Workshop>
}

/** The ends of a model, which are the owner's own to compute where they are public. */
export type End = 'embed' | 'head'

/** What a plan is made for, beside its shape. */
export interface PlanOptions {
  /** What to have few of: bytes cost hops. By the shape where nothing is said. */
  readonly goal?: Goal
  /** Release every row instead of the last alone: for evaluation by a holder of both sides. */
  readonly everyRow?: boolean
}

/** One of a model's plans. */
export interface PlanVariant {
  /** Shapes and options of equal keys have equal plans. */
  readonly key: string
  /** Throws where the model can't be computed: see the profile. */
  compile(): Plan
}

/** A model in a profile's representation, made from public metadata alone. */
export interface ProfiledModel {
  /** The profile's id. */
  readonly profile: string
  readonly config: ModelConfig
  /** Whether the private weights are in pieces, of which no party has all. */
  readonly isSplit: boolean
  /** What the owner puts in, row by row. */
  readonly input: InputType
  /** All that the plans are made from, as canonical JSON hashes it: parties whose plans could differ must differ here. */
  readonly metadata: object
  /** Whether one of the model's ends is computed between the parties. */
  isPrivate(end: End): boolean
  /** Where numbers that are released come from, and how large they may be: larger ones are of a value that has left its ring. */
  readonly released?: { readonly place: string; readonly most: number }
  /** A requested shape as this model sees it: which positions its rows attend to. */
  shapeOf(shape: Shape): Shape
  /** The plan of a pass. Rings of weights, and of what is kept between passes, are the same in every one. */
  variant(shape: Pick<Shape, 'base' | 'rows' | 'goal'>, options?: PlanOptions): PlanVariant
  /**
   * Those matrices of a given visibility that the plans multiply by, with their biases, encoded one after another as they
   * are asked for. Throws where a tensor is missing or does not fit its encoding.
   */
  encode(tensors: TensorLookup, of: readonly Visibility[]): Iterable<EncodedMatrix>
}
