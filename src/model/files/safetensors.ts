import type { Tensors } from '../architectures/config.ts'
import { fromBfloat, fromHalf, toBfloat, toHalf } from './float16.ts'

/**
 * Reader and writer of the safetensors format: an 8-byte little-endian length, a JSON header
 * `{name: {dtype, shape, data_offsets}}`, then the raw little-endian tensors.
 */

export type Dtype = 'F32' | 'F16' | 'BF16'

/** Of one value. */
export const bytesPer: Readonly<Record<Dtype, number>> = { F32: 4, F16: 2, BF16: 2 }

/** The file is damaged, or holds something this reader does not know. */
export class SafetensorsError extends Error {
  override name = 'SafetensorsError'
}

/** One tensor as a header describes it; `dtype` may be one that can't be read. */
export interface Entry {
  dtype: string
  shape: number[]
  /** Where its bytes lie, from the end of the header. */
  data_offsets: [number, number]
}

/** What a header says. */
export interface Header {
  entries: Map<string, Entry>
  metadata: Record<string, string>
}

/** A file that has been read. */
export interface SafetensorsFile {
  /** Values widened to float32. */
  tensors: Tensors
  /** As stored in the file. */
  dtypes: Map<string, Dtype>
  /** The stored bytes, as views into the file: what hashes are taken over. */
  bytes: Map<string, Uint8Array>
  metadata: Record<string, string>
}

/**
 * The beginning of a file, up to its first tensor; tensors follow each other in the order given. `sizes` are bytes of a
 * value by type, where there are others than this reader's.
 */
export function encodeHeader(
  tensors: Iterable<{ name: string; shape: readonly number[]; dtype: string }>,
  metadata?: Record<string, string>,
  sizes: Readonly<Record<string, number>> = bytesPer,
): Uint8Array<ArrayBuffer> {
  const header: Record<string, Entry | Record<string, string>> = {}
  if (metadata) header.__metadata__ = metadata
  let end = 0
  for (const { name, shape, dtype } of tensors) {
    const start = end
    end += shape.reduce((a, b) => a * b, 1) * sizes[dtype]
    header[name] = { dtype, shape: [...shape], data_offsets: [start, end] }
  }
  let json = JSON.stringify(header)
  const text = new TextEncoder()
  // Pad with spaces, as the format allows, so that the data is aligned.
  json = json.padEnd(json.length + ((8 - (text.encode(json).length % 8)) % 8))
  const head = text.encode(json)
  const file = new Uint8Array(8 + head.length)
  new DataView(file.buffer).setBigUint64(0, BigInt(head.length), true)
  file.set(head, 8)
  return file
}

/** A tensor's values as a file stores them; into `out` where it is given, which is as long. */
export function encodeValues(
  data: Float32Array,
  dtype: Dtype,
  out = new Uint8Array(data.length * bytesPer[dtype]),
): Uint8Array<ArrayBuffer> {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength)
  if (dtype === 'F32') for (let i = 0; i < data.length; i++) view.setFloat32(4 * i, data[i], true)
  else {
    const convert = dtype === 'F16' ? toHalf : toBfloat
    for (let i = 0; i < data.length; i++) view.setUint16(2 * i, convert(data[i]), true)
  }
  return out
}

let everyHalf: Float32Array | undefined

/** What each pattern of 16 bits is as a half: large models have hundreds of millions of them. */
function halves(): Float32Array {
  everyHalf ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => fromHalf(bits))
  return everyHalf
}

/** Stored values, widened to float32; into `out` where it is given, which is as long. */
export function decodeValues(
  bytes: Uint8Array,
  dtype: Dtype,
  out = new Float32Array(bytes.length / bytesPer[dtype]),
): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (dtype === 'F32') for (let i = 0; i < out.length; i++) out[i] = view.getFloat32(4 * i, true)
  else {
    const values = dtype === 'F16' ? halves() : undefined
    for (let i = 0; i < out.length; i++) {
      const bits = view.getUint16(2 * i, true)
      out[i] = values ? values[bits] : fromBfloat(bits)
    }
  }
  return out
}

/** Serialise tensors in the order of the map. */
export function encodeSafetensors(
  tensors: Tensors,
  dtype: 'F32' | 'F16',
  metadata?: Record<string, string>,
): Uint8Array<ArrayBuffer> {
  const listed = [...tensors].map(([name, { shape }]) => ({ name, shape, dtype }))
  const parts = [
    encodeHeader(listed, metadata),
    ...[...tensors.values()].map((t) => encodeValues(t.data, dtype)),
  ]
  const file = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    file.set(part, at)
    at += part.length
  }
  return file
}

/** The format's own limit, so that a damaged length does not fill the memory. */
const MOST_HEADER_BYTES = 100_000_000

/** Length of the JSON header, from a file's first eight bytes. Throws {@link SafetensorsError}. */
export function headerLength(start: Uint8Array, fileLength: number): number {
  if (start.length < 8)
    throw new SafetensorsError('File too short for a safetensors header: is it truncated?')
  const length = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true))
  if (length > fileLength - 8)
    throw new SafetensorsError('Header longer than the file: truncated, or not a safetensors file.')
  if (length > MOST_HEADER_BYTES)
    throw new SafetensorsError(`A header of ${length} bytes: damaged, or not a safetensors file.`)
  return length
}

/**
 * Parse the JSON header; every entry lies within `dataLength` bytes, and no two in the same, so that what is read is no
 * larger than the file. Throws {@link SafetensorsError}.
 */
export function decodeHeader(bytes: Uint8Array, dataLength: number): Header {
  const { __metadata__, ...listed } = parseHeader(bytes)
  const entries = new Map(
    Object.entries(listed).map(([name, value]) => [name, checkEntry(name, value, dataLength)]),
  )
  checkApart(entries)
  return { entries, metadata: checkMetadata(__metadata__ ?? {}) }
}

/** Parse a whole file. Throws {@link SafetensorsError} if it is truncated or malformed. */
export function decodeSafetensors(file: Uint8Array): SafetensorsFile {
  const from = 8 + headerLength(file.subarray(0, 8), file.length)
  const { entries, metadata } = decodeHeader(file.subarray(8, from), file.length - from)
  const tensors: Tensors = new Map()
  const dtypes = new Map<string, Dtype>()
  const bytes = new Map<string, Uint8Array>()
  for (const [name, entry] of entries) {
    const dtype = readable(name, entry)
    const stored = file.subarray(from + entry.data_offsets[0], from + entry.data_offsets[1])
    tensors.set(name, { shape: entry.shape, data: decodeValues(stored, dtype) })
    bytes.set(name, stored)
    dtypes.set(name, dtype)
  }
  return { tensors, dtypes, bytes, metadata }
}

/** The entry's type, if its values are numbers that this reader knows and fill their bytes. */
export function readable(name: string, { dtype, shape, data_offsets: [start, end] }: Entry): Dtype {
  if (!Object.hasOwn(bytesPer, dtype))
    throw new SafetensorsError(`${name}: dtype ${dtype} is not supported; use F32, F16 or BF16.`)
  const length = shape.reduce((a, b) => a * b, 1) * bytesPer[dtype as Dtype]
  if (end - start !== length)
    throw new SafetensorsError(`${name}: shape [${shape}] does not match its bytes ${start}..${end}.`)
  return dtype as Dtype
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (typeof header === 'object' && header !== null) return header as Record<string, unknown>
  } catch {
    // Falls through to the same complaint as a header that is no object.
  }
  throw new SafetensorsError('The header is not a JSON object: not a safetensors file.')
}

function checkApart(entries: ReadonlyMap<string, Entry>): void {
  const inOrder = [...entries].sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0])
  let reached = 0
  for (const [
    name,
    {
      data_offsets: [start, end],
    },
  ] of inOrder) {
    if (start < reached && start < end)
      throw new SafetensorsError(
        `${name}: its bytes are another tensor's, too: damaged, or not a safetensors file.`,
      )
    reached = Math.max(reached, end)
  }
}

function checkMetadata(value: unknown): Record<string, string> {
  const isText = (v: unknown): v is string => typeof v === 'string'
  if (typeof value === 'object' && value !== null && Object.values(value).every(isText))
    return value as Record<string, string>
  throw new SafetensorsError('The header’s metadata is not text: damaged, or not a safetensors file.')
}

const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0

function checkEntry(name: string, value: unknown, dataLength: number): Entry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Partial<Entry>
  if (typeof dtype !== 'string' || !Array.isArray(shape) || !shape.every(isCount))
    throw new SafetensorsError(
      `${name}: the header gives no dtype and shape: damaged, or not a safetensors file.`,
    )
  if (
    !Array.isArray(offsets) ||
    offsets.length !== 2 ||
    !offsets.every(isCount) ||
    offsets[0] > offsets[1] ||
    offsets[1] > dataLength
  )
    throw new SafetensorsError(
      `${name}: its bytes ${offsets} are not within the file's ${dataLength}: truncated?`,
    )
  return { dtype, shape, data_offsets: offsets as [number, number] }
}
