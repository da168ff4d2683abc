/** A served bundle's weights: from the encoded form that is kept beside them, or encoded anew and then kept. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { toBase64Url } from '../../../handshake/encoding.ts'
import type { Kernels } from '../../../kernels/kernels.ts'
import type { TensorLookup } from '../../../model/architectures/config.ts'
import { BundleTensors } from '../../../model/files/bundle-tensors.ts'
import type { CatalogEntry } from '../../../model/files/catalog.ts'
import type { Visibility } from '../../../model/files/manifest.ts'
import { type ModelPlans, planHash } from '../session/model-plan.ts'
import { type HeldWeights, hold, loadWeights } from '../weights/held.ts'
import { clearParts, EncodedWriter, readEncoded, type Signer } from './encoded-file.ts'

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
  /** The server, which signs what it keeps, and takes nothing that it has not signed; without one nothing is kept. */
  readonly identity?: Signer
  /** Models of so many weights and more are kept in their encoded form. */
  readonly keptFrom?: number
}

/**
 * Loads what a server multiplies by. Of the tensors no more than one matrix's are in memory at a time. Throws what is wrong
 * with the bundle, also where its weights are encoded already; a file of encoded weights that is damaged, of another model,
 * or not this server's is made anew.
 */
export async function servedWeights(
  kernels: Kernels,
  { dir, manifest, hash }: Pick<CatalogEntry, 'dir' | 'manifest' | 'hash'>,
  plans: ModelPlans,
  { identity, onProgress, onNote, keptFrom = KEPT_FROM }: ServedOptions = {},
): Promise<HeldWeights> {
  const tensors = new BundleTensors(dir, manifest)
  const total = plans.anyPlan.weights.reduce((sum, { k, n }) => sum + k * n, 0)
  const path = join(dir, ENCODED_FILE)
  try {
    if (total < keptFrom || !identity) return loadWeights(kernels, plans.model.encode(tensors, SERVED))
    clearLeft(path, onNote)
    const key = await keyOf(hash, plans, identity)
    // Encoding checks each tensor; who encodes nothing sees no other sign that the bundle is not what it was.
    if (manifest.files['private.safetensors']) tensors.check('private')
    const kept = await readEncoded(kernels, path, key, identity)
    if (typeof kept === 'object' && isWhole(kept, plans) && isSame(kernels, kept, plans, tensors)) return kept
    if (kept !== 'missing' && kept !== 'other')
      onNote?.(`${path} is damaged, or nothing that this server has written. It is written anew.`)
    return await encodeAll(kernels, plans, tensors, { path, key, total, identity, onProgress, onNote })
  } finally {
    tensors.close()
  }
}

function clearLeft(path: string, onNote: LoadEvents['onNote']): void {
  try {
    clearParts(path)
  } catch (error) {
    onNote?.(
      `${path}.*.part holds private weights of a start that was ended, and cannot be removed (${whyOf(error)}).`,
    )
  }
}

const whyOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The model's hash covers every tensor, and what it is calibrated to. Of another server's file this says that it is one. */
async function keyOf(hash: string, plans: ModelPlans, { publicKey }: Signer): Promise<string> {
  return createHash('sha256')
    .update([ENCODING, hash, await planHash(plans), toBase64Url(publicKey)].join())
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
  readonly identity: Signer
}

async function encodeAll(
  kernels: Kernels,
  plans: ModelPlans,
  tensors: TensorLookup,
  { path, key, total, identity, onProgress, onNote }: Keeping,
): Promise<HeldWeights> {
  // A bias row or two with each matrix.
  let writer = await attempt(() => new EncodedWriter(path, key, 3 * plans.anyPlan.weights.length))
  let done = 0
  async function attempt<T>(work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      writer?.abandon()
      writer = undefined
      onNote?.(`The next start takes as long as this one: ${path} cannot be written (${whyOf(error)}).`)
      return undefined
    }
  }
  const held: HeldWeights = { weights: new Map(), biases: new Map() }
  try {
    for (const matrix of plans.model.encode(tensors, SERVED)) {
      await attempt(() => writer?.add(matrix))
      hold(kernels, held, matrix)
      done += matrix.k * matrix.n
      onProgress?.(done, total)
      // Whoever waits is told how far it is, and may give up.
      await setImmediate()
    }
    await attempt(() => writer?.finish(identity))
    return held
  } catch (error) {
    writer?.abandon()
    throw error
  }
}
