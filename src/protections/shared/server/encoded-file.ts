/**
 * A model's encoded weights as a file, so that a server need not encode them at every start. It holds private weights as
 * `private.safetensors` does, and like that is none of the files that are ever served.
 *
 * The form is that of safetensors: matrices [k x n] as I8, I16 or I32, bias rows as U64; `key` and the digest of all values
 * are metadata.
 */
import { createHash, type Hash, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import type { Kernels, Matrix } from '../../../kernels/kernels.ts'
import { type Entry, encodeHeader, SafetensorsError } from '../../../model/files/safetensors.ts'
import { TensorFile } from '../../../model/files/tensor-file.ts'
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
    // Two servers may start at once.
    this.#part = `${path}.${randomBytes(6).toString('hex')}.part`
    this.#handle = openSync(this.#part, 'wx', 0o600)
    this.#write(new Uint8Array(this.#head))
  }

  add({ name, k, n, data, biases }: EncodedMatrix): void {
    this.#append(name, [k, n], kindOf(data), bytesOf(data))
    for (const bias of biases)
      this.#append(`${bias.name}.bias`, [bias.data.length], 'U64', bytesOf(bias.data))
  }

  /** Puts the file in its place. */
  finish(): void {
    const metadata = { format: FORMAT, key: this.#key, sha256: this.#hash.digest('hex') }
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
  }

  /** Leaves nothing behind; harmless after `finish`. */
  abandon(): void {
    if (this.#isOpen) this.#close()
    if (this.#isThere) rmSync(this.#part, { force: true })
    this.#isThere = false
  }

  #append(name: string, shape: number[], dtype: Kind, bytes: Uint8Array): void {
    this.#listed.push({ name, shape, dtype })
    this.#hash.update(bytes)
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
 * Loads the matrices of a file, one after another; what it holds is checked against its digest, and nothing of a file that
 * is damaged stays loaded.
 */
export function readEncoded(kernels: Kernels, path: string, key: string): HeldWeights | Unusable {
  let file: TensorFile
  try {
    file = new TensorFile(path)
  } catch (error) {
    return error instanceof SafetensorsError ? 'damaged' : 'missing'
  }
  const weights = new Map<string, Matrix>()
  const biases = new Map<string, Lanes>()
  try {
    const { format, key: written, sha256 } = file.metadata
    if (format !== FORMAT || written !== key) return 'other'
    const hash = createHash('sha256')
    for (const [name, entry] of file.entries) {
      const bytes = file.stored(name)
      hash.update(bytes)
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
