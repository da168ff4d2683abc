/** A Hugging Face folder's safetensors, single or sharded, read by ranges: one tensor in memory at a time. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Tensor } from '../../src/model/architectures/config.ts'
import {
  bytesPer,
  decodeValues,
  type Entry,
  readable,
  SafetensorsError,
} from '../../src/model/files/safetensors.ts'
import { TensorFile } from '../../src/model/files/tensor-file.ts'
import { ImportError } from './error.ts'

/** Where a tensor is. */
export interface Located extends Entry {
  file: string
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

export class CheckpointFolder {
  readonly dir: string
  readonly tensors = new Map<string, Located>()
  readonly #shards = new Map<string, TensorFile>()
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
    try {
      const shard = new TensorFile(path)
      this.#shards.set(file, shard)
      for (const [name, entry] of shard.entries) this.tensors.set(name, { ...entry, file })
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
      const bytes = this.#bytes(name, entry)
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
    this.#shardOf(name).readInto(name, offset, into)
  }

  /** SHA-256 of a tensor's stored bytes, a piece at a time. */
  digest(name: string): string {
    const hash = createHash('sha256')
    for (const piece of this.#shardOf(name).tensorPieces(name)) hash.update(piece)
    return hash.digest('hex')
  }

  close(): void {
    for (const shard of this.#shards.values()) shard.close()
    this.#shards.clear()
  }

  #bytes(name: string, entry: Located): Uint8Array<ArrayBuffer> {
    const [start, end] = entry.data_offsets
    return this.#shardOf(name).stored(name, isMatrix(entry) ? this.#bytesRead.of(end - start) : undefined)
  }

  #shardOf(name: string): TensorFile {
    return this.#shards.get(this.tensors.get(name)!.file)!
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
