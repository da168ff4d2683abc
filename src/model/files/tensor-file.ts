/** A safetensors file, read by ranges: Node maps no files into memory. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { decodeHeader, type Entry, type Header, headerLength, SafetensorsError } from './safetensors.ts'

/** An open file, its header read. */
export class TensorFile {
  readonly entries: ReadonlyMap<string, Entry>
  readonly metadata: Readonly<Record<string, string>>
  /** Of the whole file. */
  readonly bytes: number
  readonly #handle: number
  /** Where the first tensor begins. */
  readonly #data: number

  /** Throws {@link SafetensorsError}, or the system's error where the file can't be opened. */
  constructor(path: string) {
    this.#handle = openSync(path, 'r')
    try {
      this.bytes = fstatSync(this.#handle).size
      const length = headerLength(this.read(0, new Uint8Array(Math.min(8, this.bytes))), this.bytes)
      this.#data = 8 + length
      const header: Header = decodeHeader(this.read(8, new Uint8Array(length)), this.bytes - this.#data)
      this.entries = header.entries
      this.metadata = header.metadata
    } catch (error) {
      closeSync(this.#handle)
      throw error
    }
  }

  /** Fills `into` with the file's bytes from `from` on. Throws {@link SafetensorsError} where it ends before. */
  read(from: number, into: Uint8Array): Uint8Array {
    for (let at = 0; at < into.length; ) {
      const got = readSync(this.#handle, into, at, into.length - at, from + at)
      if (got === 0) throw new SafetensorsError(`The file ends ${into.length - at} bytes early.`)
      at += got
    }
    return into
  }

  /** Fills `into` with stored bytes of a tensor that is there, from its byte `offset` on. */
  readInto(name: string, offset: number, into: Uint8Array): void {
    this.read(this.#data + this.#entry(name).data_offsets[0] + offset, into)
  }

  /** A tensor's stored bytes, in memory of their own unless `into` has room for them. */
  stored(name: string, into?: ArrayBuffer): Uint8Array<ArrayBuffer> {
    const [start, end] = this.#entry(name).data_offsets
    const out = new Uint8Array(into ?? new ArrayBuffer(end - start), 0, end - start)
    this.read(this.#data + start, out)
    return out
  }

  /** The bytes from `from` to `to`, by default the whole file, a piece at a time; each lasts until the next. */
  *pieces(from = 0, to = this.bytes): Generator<Uint8Array> {
    const piece = new Uint8Array(Math.min(PIECE, to - from))
    for (let at = from; at < to; at += PIECE) yield this.read(at, piece.subarray(0, to - at))
  }

  /** A tensor's stored bytes, a piece at a time. */
  tensorPieces(name: string): Generator<Uint8Array> {
    const [start, end] = this.#entry(name).data_offsets
    return this.pieces(this.#data + start, this.#data + end)
  }

  close(): void {
    closeSync(this.#handle)
  }

  #entry(name: string): Entry {
    const entry = this.entries.get(name)
    if (!entry) throw new SafetensorsError(`There is no tensor "${name}".`)
    return entry
  }
}

/** Bytes read at a time. */
const PIECE = 1 << 20
