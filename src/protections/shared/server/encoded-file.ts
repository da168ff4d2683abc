/**
 * A model's encoded weights as a file, so that a server need not encode them at every start. It holds private weights as
 * `private.safetensors` does, and like that is none of the files that are ever served.
 *
 * The form is that of safetensors: matrices [k x n] as I8, I16 or I32, bias rows as U64. `key`, the digest of all names,
 * shapes and values, and the server's signature (Ed25519) of both are metadata: no hash of the manifest covers what is kept
 * here, so a file that somebody else has put there must not be taken for the model.
 */
import { createHash, type Hash, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Identity, verify } from '../../../handshake/crypto.ts'
import { fromBase64Url, toBase64Url } from '../../../handshake/encoding.ts'
import type { Kernels, Matrix } from '../../../kernels/kernels.ts'
import { type Entry, encodeHeader, SafetensorsError } from '../../../model/files/safetensors.ts'
import { TensorFile } from '../../../model/files/tensor-file.ts'
import { signedBytes } from '../agreement/transcript.ts'
import type { Lanes } from '../ring.ts'
import type { EncodedMatrix, EncodedWeight, HeldWeights } from '../weights/held.ts'

const FORMAT = 'sotto-encoded/1'
const BYTES = { I8: 1, I16: 2, I32: 4, U64: 8 } as const
const ARRAYS = { I8: Int8Array, I16: Int16Array, I32: Int32Array, U64: BigUint64Array } as const
type Kind = keyof typeof BYTES

const kindOf = (data: EncodedWeight): Kind =>
  data instanceof Int8Array ? 'I8' : data instanceof Int16Array ? 'I16' : 'I32'

/** Room for the header, which is written when all is known: so many bytes, and so many for each tensor. */
const HEADER_BYTES = 4096
const ENTRY_BYTES = 160

const bytesOf = ({ buffer, byteOffset, byteLength }: EncodedWeight | Lanes): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/**
 * Removes what starts that were killed have left of a file: private weights, as large as the model each. One that is still
 * being written goes as well, which costs its writer no more than the file. Throws the system's error.
 */
export function clearParts(path: string): void {
  const dir = dirname(path)
  for (const name of readdirSync(dir))
    if (name.startsWith(`${basename(path)}.`) && name.endsWith('.part'))
      rmSync(join(dir, name), { force: true })
}

/** Before each tensor's bytes in the digest: they are another tensor's under another name. */
const titleOf = (name: string, dtype: string, shape: readonly number[]): string =>
  `${JSON.stringify([name, dtype, ...shape])}\n`

/** The server, as far as it signs what it keeps. */
export type Signer = Pick<Identity, 'publicKey' | 'sign'>

/** Writes matrices as they come, and nothing at the file's own name before all of them are there. */
export class EncodedWriter {
  readonly #path: string
  readonly #part: string
  readonly #key: string
  readonly #handle: number
  readonly #head: number
  readonly #hash: Hash = createHash('sha256')
  readonly #listed: { name: string; shape: number[]; dtype: Kind }[] = []
  #isOpen = true
  #isThere = true
  /** Whoever ends the process in the middle leaves no weights behind. */
  readonly #abandon = (): void => this.abandon()

  /**
   * Throws the system's error where there can be no such file.
   *
   * @param key of what is encoded: a file of another one is of another model, or of another release
   * @param tensors how many there are at most, bias rows included
   */
  constructor(path: string, key: string, tensors: number) {
    this.#path = path
    this.#key = key
    this.#head = HEADER_BYTES + ENTRY_BYTES * tensors
    // Two servers may start at once: then the later one's is kept.
    this.#part = `${path}.${randomBytes(6).toString('hex')}.part`
    this.#handle = openSync(this.#part, 'wx', 0o600)
    process.once('exit', this.#abandon)
    this.#write(new Uint8Array(this.#head))
  }

  add({ name, k, n, data, biases }: EncodedMatrix): void {
    this.#append(name, [k, n], kindOf(data), bytesOf(data))
    for (const bias of biases)
      this.#append(`${bias.name}.bias`, [bias.data.length], 'U64', bytesOf(bias.data))
  }

  /** Signs the file as the server's, and puts it in its place. */
  async finish(identity: Signer): Promise<void> {
    const sha256 = this.#hash.digest('hex')
    const signature = toBase64Url(await identity.sign(signedBytes.encodedWeights(this.#key, sha256)))
    const metadata = { format: FORMAT, key: this.#key, sha256, signature }
    const header = encodeHeader(this.#listed, metadata, BYTES)
    const head = new Uint8Array(this.#head).fill(0x20)
    if (header.length > head.length) throw new RangeError('There are more tensors than were announced.')
    head.set(header)
    new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true)
    this.#write(head, 0)
    fsyncSync(this.#handle)
    this.#close()
    renameSync(this.#part, this.#path)
    this.#isThere = false
    process.off('exit', this.#abandon)
  }

  /** Leaves nothing behind; harmless after `finish`. */
  abandon(): void {
    process.off('exit', this.#abandon)
    if (this.#isOpen) this.#close()
    if (this.#isThere) rmSync(this.#part, { force: true })
    this.#isThere = false
  }

  #append(name: string, shape: number[], dtype: Kind, bytes: Uint8Array): void {
    this.#listed.push({ name, shape, dtype })
    this.#hash.update(titleOf(name, dtype, shape)).update(bytes)
    this.#write(bytes)
  }

  #write(bytes: Uint8Array, position: number | null = null): void {
    for (let at = 0; at < bytes.length; )
      at += writeSync(this.#handle, bytes, at, bytes.length - at, position === null ? null : position + at)
  }

  #close(): void {
    this.#isOpen = false
    closeSync(this.#handle)
  }
}

/** Why a file of encoded weights was not taken. */
export type Unusable = 'missing' | 'other' | 'damaged'

/**
 * Loads the matrices of a file, one after another, if the server has signed it: what it holds is checked against its digest,
 * and nothing of a file that is damaged stays loaded.
 */
export async function readEncoded(
  kernels: Kernels,
  path: string,
  key: string,
  { publicKey }: Signer,
): Promise<HeldWeights | Unusable> {
  let file: TensorFile
  try {
    file = new TensorFile(path)
  } catch (error) {
    return error instanceof SafetensorsError ? 'damaged' : 'missing'
  }
  const weights = new Map<string, Matrix>()
  const biases = new Map<string, Lanes>()
  try {
    const { format, key: written, sha256 = '', signature = '' } = file.metadata
    if (format !== FORMAT || written !== key) return 'other'
    if (!(await verify(publicKey, bytesIn(signature), signedBytes.encodedWeights(key, sha256))))
      return 'damaged'
    const hash = createHash('sha256')
    for (const [name, entry] of file.entries) {
      const bytes = file.stored(name)
      hash.update(titleOf(name, entry.dtype, entry.shape)).update(bytes)
      const values = valuesOf(entry, bytes)
      if (values instanceof BigUint64Array) biases.set(name.replace(/\.bias$/, ''), values)
      else weights.set(name, kernels.load(values, ...sizeOf(entry)))
    }
    if (hash.digest('hex') === sha256) return { weights, biases }
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error
  } finally {
    file.close()
  }
  for (const matrix of weights.values()) matrix.free()
  return 'damaged'
}

/** A signature that is none is a wrong one. */
function bytesIn(text: string): Uint8Array {
  try {
    return fromBase64Url(text, 64)
  } catch {
    return new Uint8Array(64)
  }
}

const isKind = (dtype: string): dtype is Kind => Object.hasOwn(BYTES, dtype)

function valuesOf({ dtype, shape, data_offsets: [start, end] }: Entry, bytes: Uint8Array<ArrayBuffer>) {
  const count = shape.reduce((a, b) => a * b, 1)
  if (!isKind(dtype) || (dtype === 'U64') !== (shape.length === 1) || end - start !== count * BYTES[dtype])
    throw new SafetensorsError('Not what was written.')
  return new ARRAYS[dtype](bytes.buffer, 0, count)
}

function sizeOf({ shape }: Entry): [k: number, n: number] {
  if (shape.length !== 2) throw new SafetensorsError('Not what was written.')
  return [shape[0], shape[1]]
}
