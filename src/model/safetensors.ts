import type { Tensors } from './config.ts'
import { fromBfloat, fromHalf, toHalf } from './half.ts'

/**
 * Reader and writer of the safetensors format: an 8-byte little-endian length, a JSON header
 * `{name: {dtype, shape, data_offsets}}`, then the raw little-endian tensors.
 */

export type Dtype = 'F32' | 'F16' | 'BF16'

const bytesPer: Record<Dtype, number> = { F32: 4, F16: 2, BF16: 2 }

/** The file is damaged, or holds something this reader does not know. */
export class SafetensorsError extends Error {
  override name = 'SafetensorsError'
}

interface Entry {
  dtype: Dtype
  shape: number[]
  data_offsets: [number, number]
}

export interface SafetensorsFile {
  /** Values widened to float32. */
  tensors: Tensors
  /** As stored in the file. */
  dtypes: Map<string, Dtype>
  /** The stored bytes, as views into the file: what hashes are taken over. */
  bytes: Map<string, Uint8Array>
  metadata: Record<string, string>
}

/** Serialise tensors as float32 or float16, in the order of the map. */
export function encodeSafetensors(
  tensors: Tensors,
  dtype: 'F32' | 'F16',
  metadata?: Record<string, string>,
): Uint8Array<ArrayBuffer> {
  const header: Record<string, Entry | Record<string, string>> = {}
  if (metadata) header.__metadata__ = metadata
  let end = 0
  for (const [name, { shape, data }] of tensors) {
    const start = end
    end += data.length * bytesPer[dtype]
    header[name] = { dtype, shape, data_offsets: [start, end] }
  }
  let json = JSON.stringify(header)
  const text = new TextEncoder()
  // Pad with spaces, as the format allows, so that the data is aligned.
  json = json.padEnd(json.length + ((8 - (text.encode(json).length % 8)) % 8))
  const head = text.encode(json)
  const file = new Uint8Array(8 + head.length + end)
  const view = new DataView(file.buffer)
  view.setBigUint64(0, BigInt(head.length), true)
  file.set(head, 8)
  let at = 8 + head.length
  for (const { data } of tensors.values()) {
    for (const value of data) {
      if (dtype === 'F32') view.setFloat32(at, value, true)
      else view.setUint16(at, toHalf(value), true)
      at += bytesPer[dtype]
    }
  }
  return file
}

/** Parse a whole file. Throws {@link SafetensorsError} if it is truncated or malformed. */
export function decodeSafetensors(file: Uint8Array): SafetensorsFile {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (file.length < 8) throw new SafetensorsError('File too short for a safetensors header: is it truncated?')
  const headerLength = Number(view.getBigUint64(0, true))
  if (headerLength > file.length - 8)
    throw new SafetensorsError('Header longer than the file: truncated, or not a safetensors file.')
  const { __metadata__, ...entries } = parseHeader(file.subarray(8, 8 + headerLength))
  const tensors: Tensors = new Map()
  const dtypes = new Map<string, Dtype>()
  const bytes = new Map<string, Uint8Array>()
  for (const [name, entry] of Object.entries(entries)) {
    const { dtype, shape, data_offsets } = checkEntry(name, entry, file.length - 8 - headerLength)
    const [start, end] = data_offsets.map((offset) => 8 + headerLength + offset)
    tensors.set(name, { shape, data: readValues(view, start, end - start, dtype) })
    bytes.set(name, file.subarray(start, end))
    dtypes.set(name, dtype)
  }
  return { tensors, dtypes, bytes, metadata: (__metadata__ ?? {}) as Record<string, string> }
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

function checkEntry(name: string, value: unknown, dataLength: number): Entry {
  const entry = value as Entry
  const size = bytesPer[entry?.dtype]
  if (!size)
    throw new SafetensorsError(`${name}: dtype ${entry?.dtype} is not supported; use F32, F16 or BF16.`)
  const [start, end] = entry.data_offsets ?? []
  const length = entry.shape?.reduce((a, b) => a * b, 1) * size
  if (!(start >= 0 && end <= dataLength && end - start === length))
    throw new SafetensorsError(`${name}: shape [${entry.shape}] does not match its bytes ${start}..${end}.`)
  return entry
}

function readValues(view: DataView, start: number, length: number, dtype: Dtype): Float32Array {
  const out = new Float32Array(length / bytesPer[dtype])
  for (let i = 0; i < out.length; i++) {
    if (dtype === 'F32') out[i] = view.getFloat32(start + 4 * i, true)
    else {
      const half = view.getUint16(start + 2 * i, true)
      out[i] = dtype === 'F16' ? fromHalf(half) : fromBfloat(half)
    }
  }
  return out
}
