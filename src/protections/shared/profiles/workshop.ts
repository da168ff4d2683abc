/** What a model's developer does with a profile: measures a model on text, and finds out whether it can be computed. */
import type { ModelConfig, Tensors } from '../../../model/architectures/config.ts'
import type { TextInput } from '../../../model/graph/interpret.ts'
import type { Tap } from '../../../model/graph/taps.ts'
import type { ModelManifest } from './model-manifest.ts'

/** A text as token ids; an encoder's may come with token types. */
export type Sequence = number[] | TextInput

/** A running measurement of a model on texts. */
export interface Measurement {
  /** Runs the model over more texts, every one of them. `tap` sees all values of the float model as well. */
  add(sequences: Iterable<Sequence>, tap?: Tap): void
  /** The profile's entry of the manifest, by all texts so far: JSON of finite numbers where the weights are sound. */
  readonly entry: Readonly<Record<string, unknown>>
}

/** A measured range beside what the chosen representation holds. */
export interface RangeEntry {
  /** Absent for what is no layer's. */
  readonly layer?: number
  /** The range's name in the manifest, and what it is. */
  readonly name: string
  readonly about: string
  readonly measured: number | [low: number, high: number]
  /** What can be represented: beyond it results would be wrong. */
  readonly limit: number | [low: number, high: number]
  /** Head room: how many bits larger (or, at an interval's low end, smaller) a value may become. */
  readonly bits: number
}

/** A profile's own measurements and checks. */
export interface Workshop {
  /**
   * Whether a public tensor is in private matrices only, so that data owners have no use for it: a base model's weights
   * under private adapters.
   */
  foldedAway(config: ModelConfig, isPublic: (tensor: string) => boolean): (tensor: string) => boolean
  measure(config: ModelConfig, tensors: Tensors): Measurement
  /**
   * Compiles the plan of the longest pass, and encodes every weight as a party that loads it does. Throws a
   * `CalibrationError` that says what stands in the way.
   */
  check(manifest: ModelManifest, tensors: Tensors): void
  /** All that was measured, layer by layer. Throws where the model can't be computed. */
  report(manifest: ModelManifest): RangeEntry[]
}
