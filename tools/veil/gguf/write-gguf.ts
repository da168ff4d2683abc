/** Writes a veiled folder as one GGUF file, for llama.cpp to run from token ids. Nothing secret is read or written. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { type HfConfig, HfReader } from '../../../src/model/architectures/hf-reader.ts'
import { CheckpointFolder } from '../../import/checkpoint-folder.ts'
import { readJson } from '../../import/source.ts'
import { VeilError } from '../error.ts'
import { CHUNK, Rows } from '../rows.ts'
import { narrow, type WordType, widen, wordBytes, wordsOf } from '../words.ts'
import type { GgufForm, GgufSource } from './form.ts'
import { aligned, type GgufTensor, ggufHeader } from './gguf-file.ts'
import { gpt2Form } from './gpt2.ts'
import { llamaForm } from './llama.ts'
import { LEAST_TOKENS, placeholders } from './vocabulary.ts'

const forms: readonly GgufForm[] = [llamaForm, gpt2Form]

/** Of a folder, the file's name. */
export const GGUF_FILE = 'model.gguf'

/** The form and the facts of a configuration. Throws {@link VeilError}, or `HfConfigError`, for what the file can't say. */
export function ggufFacts(config: HfConfig, file: string) {
  const form = forms.find(({ modelTypes }) => modelTypes.includes(String(config.model_type)))
  if (!form)
    throw new VeilError(
      'unsupported',
      `GGUF is written for ${forms.flatMap(({ modelTypes }) => modelTypes).join(', ')}, not for ${String(config.model_type)}. Serve the folder itself.`,
    )
  const read = new HfReader(config, file)
  const size = read.size('vocab_size', 32000)
  if (size < LEAST_TOKENS)
    throw new VeilError('unsupported', `llama.cpp wants ${LEAST_TOKENS} tokens or more, not ${size}.`)
  const [bos, eos] = ['bos', 'eos'].map((mark) => [config[`${mark}_token_id`]].flat()[0])
  const isId = (id: unknown): id is number => Number.isInteger(id)
  const facts = {
    ...form.facts(read),
    'general.name': { string: 'veiled' },
    ...placeholders(size, { ...(isId(bos) ? { bos } : {}), ...(isId(eos) ? { eos } : {}) }),
  }
  return { facts, tensors: form.tensors(read) }
}

/** Writes the file into the folder; returns its bytes. Throws as {@link ggufFacts} does. */
export async function writeGguf(dir: string): Promise<number> {
  const file = join(dir, 'config.json')
  const { facts, tensors: wanted } = ggufFacts(readJson(file), file)
  const folder = new CheckpointFolder(dir)
  try {
    const prefix = folder.tensors.has('transformer.wte.weight') ? 'transformer.' : ''
    const sources = wanted
      .map((one) => ({ ...one, from: one.from.map((name) => named(name, prefix, folder)) }))
      .filter(({ from, isOptional }) => !isOptional || folder.tensors.has(from[0]))
    const tensors = sources.map((source) => describe(source, folder))
    return await writeFile(join(dir, GGUF_FILE), ggufHeader(facts, tensors), sources, tensors, folder)
  } finally {
    folder.close()
  }
}

/** Names of a form leave out the prefix that some files have. */
const named = (name: string, prefix: string, { tensors }: CheckpointFolder): string =>
  tensors.has(name) ? name : `${prefix}${name}`

function describe({ name, from, isTransposed, isSingle }: GgufSource, folder: CheckpointFolder): GgufTensor {
  const found = folder.tensors.get(from[0])
  if (!found) throw new VeilError('missing-tensor', `There is no "${from[0]}".`, { tensor: from[0] })
  const type = isSingle || found.dtype === 'F64' ? 'F32' : (found.dtype as 'F32' | 'F16' | 'BF16')
  const one = isTransposed ? found.shape.toReversed() : found.shape
  const shape = from.length > 1 ? [from.length, ...one] : one
  return { name, type, shape, bytes: shape.reduce((a, b) => a * b, 1) * wordBytes[type] }
}

async function writeFile(
  path: string,
  header: Uint8Array,
  sources: readonly GgufSource[],
  tensors: readonly GgufTensor[],
  folder: CheckpointFolder,
): Promise<number> {
  const file = openSync(path, 'w')
  let length = 0
  const append = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
    length += bytes.length
  }
  try {
    append(header)
    for (const [i, source] of sources.entries()) {
      await setImmediate()
      for (const name of source.from) appendTensor(name, source, tensors[i].type, folder, append)
      append(new Uint8Array(aligned(tensors[i].bytes) - tensors[i].bytes))
    }
  } finally {
    closeSync(file)
  }
  return length
}

/** A tensor's rows in their new order, a chunk at a time. */
function appendTensor(
  name: string,
  { interleaved, isTransposed }: GgufSource,
  to: WordType,
  folder: CheckpointFolder,
  append: (bytes: Uint8Array) => void,
): void {
  const { shape, dtype } = folder.tensors.get(name)!
  const type = dtype as WordType
  // A vector's components are rows where they are to be reordered.
  const rows = shape.length > 1 || interleaved !== undefined ? shape[0] : 1
  const width = shape.reduce((a, b) => a * b, 1) / rows
  const rowBytes = width * wordBytes[type]
  const source = new Rows((offset, into) => folder.readInto(name, offset, into), rows, rowBytes)
  const order = interleaved === undefined ? inOrder(rows) : sideBySidePairs(rows, interleaved)
  // What is transposed needs all of its rows at once.
  const some = isTransposed ? rows : Math.max(1, Math.floor(CHUNK / rowBytes))
  for (let first = 0; first < rows; first += some) {
    const bytes = new Uint8Array(Math.min(some, rows - first) * rowBytes)
    source.gather(order, first, bytes)
    const words = isTransposed ? transposed(bytes, rows, width, wordBytes[type]) : bytes
    append(to === type ? words : converted(type, words, to))
  }
}

const inOrder = (rows: number): Uint32Array => Uint32Array.from({ length: rows }, (_, i) => i)

/** Components i and i + half of each head, one after the other. */
function sideBySidePairs(rows: number, heads: number): Uint32Array {
  const width = rows / heads
  return inOrder(rows).map((row) => {
    const [head, within] = [Math.floor(row / width), row % width]
    return head * width + (within % 2) * (width / 2) + Math.floor(within / 2)
  })
}

function transposed(
  bytes: Uint8Array<ArrayBuffer>,
  rows: number,
  width: number,
  size: number,
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length)
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < width; c++) {
      const from = (r * width + c) * size
      for (let b = 0; b < size; b++) out[(c * rows + r) * size + b] = bytes[from + b]
    }
  return out
}

function converted(type: WordType, bytes: Uint8Array<ArrayBuffer>, to: WordType): Uint8Array {
  const wide = new Float64Array(bytes.length / wordBytes[type])
  widen(type, wordsOf(type, bytes), 0, wide.length, 1, wide, 0, 1)
  const out = new Uint8Array(wide.length * wordBytes[to])
  narrow(to, wide, 0, 1, wide.length, wordsOf(to, out), 0)
  return out
}
