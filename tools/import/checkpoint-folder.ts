/** A Hugging Face folder's safetensors, single or sharded, read by ranges: one tensor in memory at a time. */
import { createHash } from 'node:crypto'
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Tensor } from '../../src/model/architectures/config.ts'
import {
  bytesPer,
  decodeHeader,
  decodeValues,
  type Entry,
  headerLength,
  readable,
  SafetensorsError,
} from '../../src/model/files/safetensors.ts'
import { ImportError } from './error.ts'

/** Where a tensor is. */
export interface Located extends Entry {
  file: string
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** Bytes hashed at a time. */
const CHUNK = 1 << 20

/** An open file and where its tensors begin. */
interface Shard {
  handle: number
  data: number
}

export class CheckpointFolder {
  readonly dir: string
  readonly tensors = new Map<string, Located>()
  readonly #shards = new Map<string, Shard>()
  readonly #bytesRead = new Scratch()
  readonly #floats = new Scratch()

  /** Opens the files and reads their headers. Throws {@link ImportError}; files that were opened are then closed. */
  constructor(dir: string) {
    this.dir = dir
    try {
      const files = listShards(dir)
      for (const file of files) this.#open(file)
    } catch (error) {
      this.close()
      throw error
    }
  }

  #open(file: string): void {
    const path = join(this.dir, file)
    if (!existsSync(path))
      throw new ImportError('not-found', `${path} is missing, but the index names it. Download it again.`, {
        file: path,
      })
    const handle = openSync(path, 'r')
    this.#shards.set(file, { handle, data: 0 })
    const size = fstatSync(handle).size
    try {
      const length = headerLength(readRange(handle, 0, Math.min(8, size)), size)
      const data = 8 + length
      this.#shards.set(file, { handle, data })
      const { entries } = decodeHeader(readRange(handle, 8, length), size - data)
      for (const [name, entry] of entries) this.tensors.set(name, { ...entry, file })
    } catch (error) {
      if (!(error instanceof SafetensorsError)) throw error
      const message = `${path}: ${error.message} Download it again.`
      throw new ImportError('bad-file', message, { file: path, cause: error })
    }
  }

  /** Where a tensor is, in words. */
  place(name: string): string {
    return join(this.dir, this.tensors.get(name)?.file ?? '')
  }

  /**
   * The values of a tensor that is there, widened to float32. Matrices share their memory: one lasts until the next is
   * read, or a large model would fill the memory with what nobody needs any more.
   */
  read(name: string): Tensor {
    const entry = this.tensors.get(name)!
    try {
      const dtype = readable(name, entry)
      const bytes = this.#bytes(entry)
      // Fresh bytes are aligned: the same memory serves as numbers, on machines that store them this way round.
      const count = bytes.length / bytesPer[dtype]
      if (dtype === 'F32' && LITTLE_ENDIAN)
        return { shape: entry.shape, data: new Float32Array(bytes.buffer, 0, count) }
      const floats = isMatrix(entry) ? new Float32Array(this.#floats.of(4 * count), 0, count) : undefined
      const data = decodeValues(bytes, dtype, floats)
      return { shape: entry.shape, data }
    } catch (error) {
      if (!(error instanceof SafetensorsError)) throw error
      const file = this.place(name)
      throw new ImportError('unsupported', `${file}: ${error.message}`, { file, tensor: name, cause: error })
    }
  }

  /** Fills `into` with a tensor's stored bytes, from `offset` on. */
  readInto(name: string, offset: number, into: Uint8Array): void {
    const { file, data_offsets } = this.tensors.get(name)!
    const { handle, data } = this.#shards.get(file)!
    fillFrom(handle, data + data_offsets[0] + offset, into)
  }

  /** SHA-256 of a tensor's stored bytes, a piece at a time. */
  digest(name: string): string {
    const { file, data_offsets } = this.tensors.get(name)!
    const { handle, data } = this.#shards.get(file)!
    const hash = createHash('sha256')
    for (let at = data_offsets[0]; at < data_offsets[1]; at += CHUNK)
      hash.update(readRange(handle, data + at, Math.min(CHUNK, data_offsets[1] - at)))
    return hash.digest('hex')
  }

  close(): void {
    for (const { handle } of this.#shards.values()) closeSync(handle)
    this.#shards.clear()
  }

  #bytes(entry: Located): Uint8Array<ArrayBuffer> {
    const [start, end] = entry.data_offsets
    const { handle, data } = this.#shards.get(entry.file)!
    const into = isMatrix(entry) ? this.#bytesRead.of(end - start) : undefined
    return readRange(handle, data + start, end - start, into)
  }
}

const isMatrix = ({ shape }: Entry): boolean => shape.length > 1

/** Memory that is used again and again. */
class Scratch {
  #buffer = new ArrayBuffer(0)

  of(length: number): ArrayBuffer {
    if (this.#buffer.byteLength < length) this.#buffer = new ArrayBuffer(length)
    return this.#buffer
  }
}

function readRange(
  handle: number,
  from: number,
  length: number,
  into = new ArrayBuffer(length),
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(into, 0, length)
  fillFrom(handle, from, out)
  return out
}

function fillFrom(handle: number, from: number, out: Uint8Array): void {
  for (let at = 0; at < out.length; ) {
    const got = readSync(handle, out, at, out.length - at, from + at)
    if (got === 0) throw new SafetensorsError(`The file ends ${out.length - at} bytes early.`)
    at += got
  }
}

const INDEX = 'model.safetensors.index.json'

/** The safetensors files that a folder's weights are in. */
function listShards(dir: string): string[] {
  const index = join(dir, INDEX)
  if (existsSync(index)) {
    const weightMap = parseIndex(index, readFileSync(index, 'utf8'))
    // What a file holds, it says itself: an index may list a tensor that was stored once under another name.
    return [...new Set(Object.values(weightMap))].sort()
  }
  const found = readdirSync(dir).filter((file) => file.endsWith('.safetensors'))
  if (found.includes('model.safetensors')) return ['model.safetensors']
  // A bundle has its public and private tensors apart.
  if (existsSync(join(dir, 'manifest.json')) && found.length > 0) return found.sort()
  if (found.length === 1) return found
  const pickled = readdirSync(dir).find((file) => /\.(bin|pt|pth|h5|msgpack)$/.test(file))
  const advice = pickled
    ? `${pickled} is in another format. This converts it: ${conversion(dir)}`
    : `A model folder has model.safetensors, or ${INDEX} and the files that it names.`
  throw new ImportError('not-found', `${dir} holds no safetensors weights. ${advice}`, { file: dir })
}

/** The command that writes a folder's model as safetensors beside it. */
function conversion(dir: string): string {
  const config = join(dir, 'config.json')
  const written = existsSync(config)
    ? /"architectures"\s*:\s*\[\s*"(\w+)"/.exec(readFileSync(config, 'utf8'))
    : null
  const name = written?.[1] ?? 'AutoModel'
  const [from, to] = [dir, `${dir.replace(/\/+$/, '')}-safetensors`].map((path) => JSON.stringify(path))
  const code = `from transformers import AutoTokenizer, ${name}; ${name}.from_pretrained(${from}).save_pretrained(${to}); AutoTokenizer.from_pretrained(${from}).save_pretrained(${to})`
  return `python3 -c '${code}'`
}

/** File by tensor name. */
export function parseIndex(path: string, text: string): Record<string, string> {
  let map: unknown
  try {
    map = (JSON.parse(text) as { weight_map?: unknown }).weight_map
  } catch {
    // Falls through to the same complaint.
  }
  // A file name of an index must not lead out of the folder.
  const isPlain = (file: unknown) =>
    typeof file === 'string' && /^[\w.-]+$/.test(file) && !file.startsWith('.')
  if (typeof map !== 'object' || map === null || !Object.values(map).every(isPlain))
    throw new ImportError('bad-file', `${path} has no "weight_map" of tensors to file names.`, { file: path })
  return map as Record<string, string>
}
