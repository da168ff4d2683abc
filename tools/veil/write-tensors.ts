/** Writes the planned tensors of a veiled checkpoint, one after another, into the files that they come from. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { CheckpointFolder } from '../import/checkpoint-folder.ts'
import { bytesOf, CheckpointWriter, type Listed } from './checkpoint-writer.ts'
import { VeilError } from './error.ts'
import type { Tally } from './exact-words.ts'
import type { VeilKeys } from './keys.ts'
import { mapsOf, type PlannedTensor, type Stored } from './plan.ts'
import { rewrite } from './rewrite.ts'
import { narrow, type WordType, widen, wordBytes, wordsOf } from './words.ts'

/** The checkpoint as a plan sees it. */
export const storedIn = (folder: CheckpointFolder): Stored => ({
  tensors: folder.tensors,
  values(name) {
    const { dtype, shape } = folder.tensors.get(name)!
    const count = shape.reduce((a, b) => a * b, 1)
    const type = dtype as WordType
    const bytes = new Uint8Array(count * wordBytes[type])
    folder.readInto(name, 0, bytes)
    const out = new Float64Array(count)
    widen(type, wordsOf(type, bytes), 0, count, 1, out, 0, 1)
    return out
  },
})

/** Returns how many bytes were written. Throws {@link VeilError} where a value is too large for its type. */
export async function writeTensors(
  dir: string,
  folder: CheckpointFolder,
  planned: readonly PlannedTensor[],
  keys: VeilKeys,
  stored: Stored,
  tally: Tally,
  onProgress?: (done: number, total: number) => void,
): Promise<number> {
  const files = new Set(planned.map(({ source }) => folder.tensors.get(source)!.file))
  // A bundle's files are apart for another reason than their size.
  const isBundle = existsSync(join(folder.dir, 'manifest.json'))
  const fileOf = ({ source }: PlannedTensor): string =>
    files.size > 1 && !isBundle ? folder.tensors.get(source)!.file : 'model.safetensors'
  const listed: Listed[] = planned.map((one) => ({ ...one, file: fileOf(one) }))
  const total = listed.reduce((sum, one) => sum + bytesOf(one), 0)
  const writer = new CheckpointWriter(dir, listed)
  let done = 0
  try {
    for (const one of planned) {
      // Large models take long: an interruption must be heard between tensors.
      await setImmediate()
      writeOne(one, folder, keys, stored, writer, tally)
      done += bytesOf(one)
      onProgress?.(done, total)
    }
  } finally {
    writer.close()
  }
  return total
}

function writeOne(
  one: PlannedTensor,
  folder: CheckpointFolder,
  keys: VeilKeys,
  stored: Stored,
  writer: CheckpointWriter,
  tally: Tally,
): void {
  const { name, source, type } = one
  const { rows, columns, isOnes } = mapsOf(one, keys, stored)
  const write = writer.writer(name)
  if (isOnes) {
    const bytes = new Uint8Array(columns.size * wordBytes[type])
    narrow(type, new Float64Array(columns.size).fill(1), 0, 1, columns.size, wordsOf(type, bytes), 0)
    write(0, bytes)
    return
  }
  rewrite(
    { type, rows, columns, write, read: (offset, into) => folder.readInto(source, offset, into) },
    tally,
  )
  if (tally.lost > 0)
    throw new VeilError(
      'bad-values',
      `"${source}" has values that ${type} can't hold once they are veiled. Convert the model to F32 or BF16 first.`,
      { tensor: source },
    )
}
