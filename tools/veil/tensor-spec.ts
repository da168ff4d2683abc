/** What a family says of its tensors: which space each of their axes is a basis of. Data, and the words that it is written in. */
import type { HfConfig, HfReader } from '../../src/model/architectures/hf-reader.ts'
import type { End } from '../../src/protections/veiled/ends.ts'
import type { Space } from './space.ts'

/** An axis, or a part of one. */
export type Axis =
  | {
      readonly space: Space
      readonly part: string
      /** Whether what lies along the axis is in the space's basis, or is multiplied with what is. */
      readonly side: 'write' | 'read'
      /** Of a reader: the norm between the space and it, whose gain it may have to take over; a prefix of tensors. */
      readonly norm?: string
    }
  /** Of so many components that stay as they are. */
  | { readonly plain: number }

/** One tensor. */
export interface TensorSpec {
  readonly name: string
  /** Row by row: an axis of several parts side by side is a list of them. */
  readonly axes: readonly (Axis | readonly Axis[])[]
  /** Its shape where that is not the axes' sizes: further axes of one, or one that is stored as several. */
  readonly shape?: readonly number[]
  /** A norm's gain, or its shift and the gain beside it. */
  readonly role?: { readonly of: 'gain' } | { readonly of: 'shift'; readonly gain: string }
  /** Whether models of the family may lack it. */
  readonly isOptional?: boolean
  /** The tensor that serves in its place where it is not stored, or where the head is tied: the embedding. */
  readonly tied?: string
  /** Of things that have tensors of their own: this is the one of number `index` in the order of `space`. */
  readonly moved?: { readonly space: Space; readonly index: number; readonly name: (index: number) => string }
}

/** A norm between the stream and its readers. */
export const norm = (prefix: string, stream: Space, isShifted: boolean): TensorSpec[] => [
  { name: `${prefix}.weight`, axes: [write(stream)], role: { of: 'gain' } },
  ...(isShifted
    ? [
        {
          name: `${prefix}.bias`,
          axes: [write(stream)],
          role: { of: 'shift', gain: `${prefix}.weight` } as const,
        },
      ]
    : []),
]

/** Lies in the space. */
export const write = (space: Space, part = 'all'): Axis => ({ space, part, side: 'write' })

/** Is multiplied with what lies in the space, behind a norm if one is named. */
export const read = (space: Space, norm?: string, part = 'all'): Axis => ({
  space,
  part,
  side: 'read',
  ...(norm === undefined ? {} : { norm }),
})

/** A matrix whose rows are outputs, and its bias. */
export const dense = (prefix: string, output: Axis, input: Axis, bias: 'bias' | 'no bias' | 'maybe') => [
  { name: `${prefix}.weight`, axes: [output, input] },
  ...(bias === 'no bias'
    ? []
    : [{ name: `${prefix}.bias`, axes: [output], ...(bias === 'maybe' ? { isOptional: true } : {}) }]),
]

/** One prefix for every layer. */
export const perLayer = (layers: number, of: (layer: number) => TensorSpec[]): TensorSpec[] =>
  Array.from({ length: layers }, (_, layer) => of(layer)).flat()

/** A model, as a family describes it. */
export interface Described {
  readonly tensors: readonly TensorSpec[]
  /** What data owners need at the two ends. Of each, the space of this id. */
  readonly ends: Readonly<Partial<Record<EndName, End>>>
  /** Names of labels, in the model's own order. */
  readonly labels?: readonly string[]
  /** Whether what comes out is rows of the stream: owners need its basis then. */
  readonly givesRows?: boolean
}

/** `rows`: embedded rows, or hidden states. */
export type EndName = 'tokens' | 'labels' | 'pixels' | 'patches' | 'rows'

/** A form of transformer for which exact rules are known. */
export interface Family {
  readonly name: string
  /** Values of `model_type`. */
  readonly modelTypes: readonly string[]
  /** Whether a head is the embedding where `tie_word_embeddings` is not there to say. */
  readonly tiesByDefault: boolean
  /** Throws `HfConfigError` for what is missing or has no exact rule. `has` tells which tensors a checkpoint holds. */
  describe(read: HfReader, has: (tensor: string) => boolean): Described
  /** The configuration of the veiled model, but for token ids; `isUntied`: it has got a head of its own. */
  rewrite?(config: HfConfig, isUntied: boolean): HfConfig
}
