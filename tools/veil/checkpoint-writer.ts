/** A checkpoint that is written tensor by tensor, in any order: headers first, then each at its place. */
import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { encodeHeader } from '../../src/model/files/safetensors.ts'
import type { WriteBytes } from './rows.ts'
import { type WordType, wordBytes } from './words.ts'

/** What a file is to hold. */
export interface Listed {
  readonly name: string
  readonly type: WordType
  readonly shape: readonly number[]
  readonly file: string
}

interface Place {
  readonly handle: number
  readonly from: number
}

export const bytesOf = ({ type, shape }: Pick<Listed, 'type' | 'shape'>): number =>
  shape.reduce((a, b) => a * b, 1) * wordBytes[type]

export class CheckpointWriter {
  readonly #handles: number[] = []
  readonly #places = new Map<string, Place>()

  /** Makes the files, and the index where there are several. */
  constructor(dir: string, listed: readonly Listed[]) {
    const files = [...new Set(listed.map(({ file }) => file))]
    for (const file of files)
      this.#open(
        join(dir, file),
        listed.filter((one) => one.file === file),
      )
    if (files.length === 1) return
    const index = {
      metadata: { total_size: listed.reduce((sum, one) => sum + bytesOf(one), 0) },
      weight_map: Object.fromEntries(listed.map(({ name, file }) => [name, file])),
    }
    writeFileSync(join(dir, 'model.safetensors.index.json'), `${JSON.stringify(index, null, 1)}\n`)
  }

  #open(path: string, listed: readonly Listed[]): void {
    const handle = openSync(path, 'w')
    this.#handles.push(handle)
    const header = encodeHeader(
      listed.map(({ name, type, shape }) => ({ name, shape, dtype: type })),
      { format: 'pt' },
      wordBytes,
    )
    writeAll(handle, header, 0)
    let from = header.length
    for (const one of listed) {
      this.#places.set(one.name, { handle, from })
      from += bytesOf(one)
    }
    ftruncateSync(handle, from)
  }

  /** Writes bytes of a tensor that was listed. */
  writer(name: string): WriteBytes {
    const { handle, from } = this.#places.get(name)!
    return (offset, bytes) => writeAll(handle, bytes, from + offset)
  }

  close(): void {
    for (const handle of this.#handles.splice(0)) closeSync(handle)
  }
}

function writeAll(handle: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at, bytes.length - at, position + at)
}
