/** The cloud's folder: an ordinary checkpoint in Hugging Face's format, and which key it was veiled with. */
import { createHash } from 'node:crypto'
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import * as v from 'valibot'
import type { Tensors } from '../../../model/architectures/config.ts'
import { type HfConfig, HfReader } from '../../../model/architectures/hf-reader.ts'
import { decodeHeader, decodeSafetensors, headerLength } from '../../../model/files/safetensors.ts'
import { ATTACKS_FILE, type ModelFigure, modelFigure, parseAttacks } from '../attacks.ts'
import { EngineError } from './engine.ts'

const text = v.pipe(v.string(), v.maxLength(2000))

/** Beside the checkpoint, and public. */
const veilFile = v.object({
  format: v.literal('sotto-veil/1'),
  keyId: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  family: v.pipe(v.string(), v.maxLength(64)),
  title: v.optional(text),
  description: v.optional(text),
  licence: v.optional(text),
})

/** What a cloud's folder says of itself. */
export interface Cloud extends v.InferOutput<typeof veilFile> {
  readonly dir: string
  /** Folder name; the model's address. */
  readonly name: string
  /** Names these contents: of both files that are public. */
  readonly hash: string
  readonly config: HfConfig
  /** What attacks on it have read, where its developer has put a summary of them into the folder. */
  readonly figure?: ModelFigure
}

/** Reads a folder that `sotto model veil` has made. Throws {@link EngineError}. */
export function readCloud(dir: string): Cloud {
  const name = basename(resolve(dir))
  if (!existsSync(join(dir, 'veil.json')))
    throw new EngineError(`${dir} has no veil.json: give a folder that sotto model veil has made.`)
  if (!/^[\w.-]{1,100}$/.test(name) || name.startsWith('.'))
    throw new EngineError(`The folder name ${name} cannot be an address.`)
  const [veil, config] = ['veil.json', 'config.json'].map((file) => readFileSync(join(dir, file), 'utf8'))
  const parsed = v.safeParse(veilFile, parseJson(join(dir, 'veil.json'), veil))
  if (!parsed.success) throw new EngineError(`${join(dir, 'veil.json')} is damaged. Veil the model again.`)
  const hash = createHash('sha256')
    .update(JSON.stringify([veil, config]))
    .digest('hex')
  const figure = figureOf(join(dir, ATTACKS_FILE))
  return {
    ...parsed.output,
    dir,
    name,
    hash,
    config: parseJson(join(dir, 'config.json'), config) as HfConfig,
    ...(figure ? { figure } : {}),
  }
}

function figureOf(path: string): ModelFigure | undefined {
  if (!existsSync(path)) return undefined
  const summary = parseAttacks(parseJson(path, readFileSync(path, 'utf8')))
  if (!summary)
    throw new EngineError(`${path} is no summary of attacks. Measure again: sotto attack --as cloud.`)
  return modelFigure(summary)
}

function parseJson(path: string, json: string): object {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // Falls through to the same complaint.
  }
  throw new EngineError(`${path} is no JSON object. Veil the model again.`)
}

/** A checkpoint in memory, for engines whose graphs are built of it. */
export interface Checkpoint {
  readonly read: HfReader
  readonly tensors: Tensors
}

/** Reads all weights, widened to float32. Throws {@link EngineError}, `HfConfigError` or `SafetensorsError`. */
export function readCheckpoint(cloud: Cloud): Checkpoint {
  const { dir } = cloud
  const tensors: Tensors = new Map()
  for (const file of weightFiles(dir))
    for (const [name, tensor] of decodeSafetensors(readFileSync(join(dir, file))).tensors)
      tensors.set(name, tensor)
  return { read: readerOf(cloud), tensors }
}

/** Of the configuration. */
export const readerOf = ({ dir, config }: Cloud): HfReader => new HfReader(config, join(dir, 'config.json'))

function weightFiles(dir: string): string[] {
  const index = join(dir, 'model.safetensors.index.json')
  if (!existsSync(index)) return ['model.safetensors']
  const map = (parseJson(index, readFileSync(index, 'utf8')) as { weight_map?: unknown }).weight_map
  const files = [...new Set(Object.values(map ?? {}).map(String))].sort()
  // A file name of an index must not lead out of the folder.
  if (files.length === 0 || !files.every((file) => /^\w[\w.-]*$/.test(file)))
    throw new EngineError(`${index} names no files of weights. Veil the model again.`)
  return files
}

/** Number of parameters, by the headers of its files alone; 0 where the weights are elsewhere. */
export function countParameters({ dir }: Cloud): number {
  let count = 0
  if (!['model.safetensors', 'model.safetensors.index.json'].some((file) => existsSync(join(dir, file))))
    return 0
  for (const file of weightFiles(dir)) {
    const handle = openSync(join(dir, file), 'r')
    try {
      const { size } = fstatSync(handle)
      const start = new Uint8Array(8)
      readSync(handle, start, 0, 8, 0)
      const header = new Uint8Array(headerLength(start, size))
      readSync(handle, header, 0, header.length, 8)
      for (const { shape } of decodeHeader(header, size - 8 - header.length).entries.values())
        count += shape.reduce((product, n) => product * n, 1)
    } finally {
      closeSync(handle)
    }
  }
  return count
}
