/** What becomes of each tensor of a checkpoint: where it comes from, and the maps of its two axes. */

import type { Entry } from '../../src/model/files/safetensors.ts'
import {
  asMonomial,
  chain,
  dual,
  identity,
  type LinearMap,
  monomial,
  sideBySide,
} from '../../src/protections/veiled/linear-map.ts'
import { isBuffer } from '../import/names.ts'
import { VeilError } from './error.ts'
import type { VeilKeys } from './keys.ts'
import type { Axis, Described, TensorSpec } from './tensor-spec.ts'
import { type WordType, wordBytes } from './words.ts'

/** The checkpoint as far as a plan needs it. */
export interface Stored {
  readonly tensors: ReadonlyMap<string, Entry>
  /** All values of a small tensor. */
  values(name: string): Float64Array
}

/** One tensor of the veiled checkpoint. */
export interface PlannedTensor {
  readonly spec: TensorSpec
  readonly name: string
  /** The stored tensor that it is made of. */
  readonly source: string
  readonly type: WordType
  readonly shape: readonly number[]
}

/** As a matrix: a vector has one row. */
export interface TensorMaps {
  readonly rows: LinearMap
  readonly columns: LinearMap
  /** A gain that its readers have taken over is 1 everywhere. */
  readonly isOnes: boolean
}

/**
 * Finds every tensor, and checks its type and shape. `isTied`: the head is the embedding, whatever is stored. Throws
 * {@link VeilError}, also for what no rule speaks of: it would be served as it is.
 */
export function planTensors(
  { tensors }: Described,
  stored: Stored,
  keys: VeilKeys,
  isTied: boolean,
): PlannedTensor[] {
  const used = new Set<string>()
  const planned: PlannedTensor[] = []
  for (const spec of tensors) {
    const source = sourceOf(spec, stored, keys, isTied)
    if (source === undefined) continue
    const { dtype, shape } = stored.tensors.get(source)!
    const expected = spec.shape ?? spec.axes.map(sizeOfAxis)
    if (shape.join() !== expected.join())
      throw new VeilError(
        'wrong-shape',
        `"${source}" has the shape [${shape}], but config.json says [${expected}]. One of the two is of another model.`,
        { tensor: source },
      )
    if (!Object.hasOwn(wordBytes, dtype))
      throw new VeilError(
        'unsupported',
        `"${source}" is stored as ${dtype}. Convert the model to F16, BF16 or F32 first.`,
        { tensor: source },
      )
    used.add(spec.name).add(source)
    planned.push({ spec, name: spec.name, source, type: dtype as WordType, shape: expected })
  }
  const left = [...stored.tensors.keys()].find((name) => !used.has(name) && !isBuffer(name))
  if (left !== undefined)
    throw new VeilError(
      'unsupported',
      `There is no exact rule for "${left}", and nothing is served as it is. Remove it from the checkpoint if the model does without.`,
      { tensor: left },
    )
  return planned
}

function sourceOf(
  spec: TensorSpec,
  { tensors }: Stored,
  keys: VeilKeys,
  isTied: boolean,
): string | undefined {
  const name = spec.moved ? spec.moved.name(placeOf(spec.moved, keys)) : spec.name
  if (spec.tied !== undefined && (isTied || !tensors.has(name)) && tensors.has(spec.tied)) return spec.tied
  if (tensors.has(name)) return name
  if (spec.isOptional) return undefined
  throw new VeilError(
    'missing-tensor',
    `The checkpoint has no "${name}". Is config.json that of these weights?`,
    { tensor: name },
  )
}

/** Which of the things in the model's own order comes to a place. */
function placeOf({ space, index }: NonNullable<TensorSpec['moved']>, keys: VeilKeys): number {
  const { all } = keys.maps(space)
  return asMonomial(all)!.from[index]
}

const sizeOfAxis = (axis: Axis | readonly Axis[]): number =>
  [axis].flat().reduce((sum, one: Axis) => sum + ('plain' in one ? one.plain : one.space.sizeOf(one.part)), 0)

/** The maps of a planned tensor; gains that it takes over are read. Throws {@link VeilError} for a shift whose gain is 0. */
export function mapsOf({ spec }: PlannedTensor, keys: VeilKeys, stored: Stored): TensorMaps {
  const axes = spec.axes.map((axis) => axisMap(axis, keys, stored))
  const [rows, columns] = axes.length === 2 ? axes : [identity(1), axes[0]]
  if (!spec.role) return { rows, columns, isOnes: false }
  const [axis] = [spec.axes[0]].flat() as Axis[]
  const isFolded = !('plain' in axis) && axis.space.folds(keys.group)
  // A sign passes through a norm of lengths, and its gain does not take it.
  if (spec.role.of === 'gain')
    return { rows, columns: isFolded ? columns : unsigned(columns), isOnes: isFolded }
  if (!isFolded) return { rows, columns, isOnes: false }
  const gain = stored.values(spec.role.gain)
  if (gain.some((value) => value === 0))
    throw new VeilError(
      'bad-values',
      `"${spec.role.gain}" has a 0, which can't be folded away. Use --group bits.`,
      { tensor: spec.role.gain },
    )
  return { rows, columns: chain(scaled(gain.map((value) => 1 / value)), columns), isOnes: false }
}

function axisMap(axis: Axis | readonly Axis[], keys: VeilKeys, stored: Stored): LinearMap {
  const parts = [axis].flat() as Axis[]
  const maps = parts.map((one) => {
    if ('plain' in one) return identity(one.plain)
    const map = keys.maps(one.space)[one.part]
    if (one.side === 'write') return map
    return one.norm !== undefined && one.space.folds(keys.group)
      ? chain(scaled(stored.values(`${one.norm}.weight`)), dual(map))
      : dual(map)
  })
  return maps.length === 1 ? maps[0] : sideBySide(maps)
}

const scaled = (by: Float64Array): LinearMap =>
  monomial(
    Uint32Array.from({ length: by.length }, (_, i) => i),
    by,
  )

const unsigned = ({ size, steps }: LinearMap): LinearMap => ({
  size,
  steps: steps.map((step) =>
    step.kind === 'monomial' && step.scale ? { ...step, scale: step.scale.map(Math.abs) } : step,
  ),
})
