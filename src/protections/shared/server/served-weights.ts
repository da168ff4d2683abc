/** A served bundle's weights: from the encoded form that is kept beside them, or encoded anew and then kept. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Kernels } from '../../../kernels/kernels.ts'
import type { TensorLookup } from '../../../model/architectures/config.ts'
import { BundleTensors } from '../../../model/files/bundle-tensors.ts'
import type { CatalogEntry } from '../../../model/files/catalog.ts'
import type { Visibility } from '../../../model/files/manifest.ts'
import { type ModelPlans, planHash } from '../session/model-plan.ts'
import { type HeldWeights, hold, loadWeights } from '../weights/held.ts'
import { EncodedWriter, readEncoded } from './encoded-file.ts'

/** In the bundle's folder. */
export const ENCODED_FILE = 'weights.encoded'

/** Changes with what any profile's encoding makes of the same tensors. */
const ENCODING = 1

/** Models of fewer weights are encoded in a second or two. */
const KEPT_FROM = 1 << 24

const SERVED: readonly Visibility[] = ['public', 'private']

/** What is worth saying of loading a model's weights. */
export interface LoadEvents {
  /** Weights that are encoded, of all. */
  onProgress?: (done: number, total: number) => void
  /** Something that somebody may want to mend, such as a folder that nothing can be written to. */
  onNote?: (note: string) => void
}

export interface ServedOptions extends LoadEvents {
  /** Models of so many weights and more are kept in their encoded form. */
  readonly keptFrom?: number
}

/**
 * Loads what a server multiplies by. Of the tensors no more than one matrix's are in memory at a time. Throws what is wrong
 * with the bundle; a file of encoded weights that is damaged, or of another model, is made anew.
 */
export async function servedWeights(
  kernels: Kernels,
  { dir, manifest, hash }: Pick<CatalogEntry, 'dir' | 'manifest' | 'hash'>,
  plans: ModelPlans,
  { onProgress, onNote, keptFrom = KEPT_FROM }: ServedOptions = {},
): Promise<HeldWeights> {
  const tensors = new BundleTensors(dir, manifest)
  const total = plans.anyPlan.weights.reduce((sum, { k, n }) => sum + k * n, 0)
  const path = join(dir, ENCODED_FILE)
  const key = await keyOf(hash, plans)
  try {
    if (total < keptFrom) return loadWeights(kernels, plans.model.encode(tensors, SERVED))
    const kept = readEncoded(kernels, path, key)
    if (typeof kept === 'object' && isWhole(kept, plans) && isSame(kernels, kept, plans, tensors)) return kept
    if (kept !== 'missing' && kept !== 'other') onNote?.(`${path} is damaged, and is written anew.`)
    return await encodeAll(kernels, plans, tensors, { path, key, total, onProgress, onNote })
  } finally {
    tensors.close()
  }
}

/** The model's hash covers every tensor, and what it is calibrated to. */
async function keyOf(hash: string, plans: ModelPlans): Promise<string> {
  return createHash('sha256')
    .update([ENCODING, hash, await planHash(plans)].join())
    .digest('hex')
}

const isWhole = ({ weights }: HeldWeights, { anyPlan }: ModelPlans): boolean =>
  anyPlan.weights.every(({ name, k, n }) => weights.get(name)?.k === k && weights.get(name)?.n === n)

/** Whether the first matrix still comes out as it did: whoever changes an encoding may forget to count it up. */
function isSame(kernels: Kernels, kept: HeldWeights, plans: ModelPlans, tensors: TensorLookup): boolean {
  for (const first of plans.model.encode(tensors, SERVED)) {
    const one = kernels.load(first.data, first.k, first.n)
    const other = kept.weights.get(first.name)
    const [a, b] = [one, other].map((matrix) => matrix && kernels.read(matrix, 0, first.k))
    one.free()
    return a !== undefined && b !== undefined && Buffer.compare(bytesOf(a), bytesOf(b)) === 0
  }
  return true
}

const bytesOf = (lanes: BigUint64Array): Uint8Array => new Uint8Array(lanes.buffer, 0, lanes.byteLength)

interface Keeping extends LoadEvents {
  readonly path: string
  readonly key: string
  readonly total: number
}

async function encodeAll(
  kernels: Kernels,
  plans: ModelPlans,
  tensors: TensorLookup,
  { path, key, total, onProgress, onNote }: Keeping,
): Promise<HeldWeights> {
  // A bias row or two with each matrix.
  let writer = attempt(() => new EncodedWriter(path, key, 3 * plans.anyPlan.weights.length))
  let done = 0
  function attempt<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      writer?.abandon()
      writer = undefined
      const why = error instanceof Error ? error.message : String(error)
      onNote?.(`The next start takes as long as this one: ${path} cannot be written (${why}).`)
      return undefined
    }
  }
  const held: HeldWeights = { weights: new Map(), biases: new Map() }
  try {
    for (const matrix of plans.model.encode(tensors, SERVED)) {
      attempt(() => writer?.add(matrix))
      hold(kernels, held, matrix)
      done += matrix.k * matrix.n
      onProgress?.(done, total)
      // Whoever waits is told how far it is, and may give up.
      await setImmediate()
    }
    attempt(() => writer?.finish())
    return held
  } catch (error) {
    writer?.abandon()
    throw error
  }
}
