/** What a Hugging Face folder or a bundle holds, and what stands in the way of serving it privately. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { countParameters } from '../../src/model/files/catalog.ts'
import { modelHash, parseManifest } from '../../src/model/files/manifest.ts'
import { continuesText } from '../../src/model/graph/graph-of.ts'
import { tensorShapes } from '../../src/model/graph/tensors.ts'
import { profileOf } from '../../src/protections/shared/profiles/lookup.ts'
import type { RangeEntry } from '../../src/protections/shared/profiles/workshop.ts'
import { modelPlans } from '../../src/protections/shared/session/model-plan.ts'
import { refuseTooLarge } from '../../src/protections/shared/weights/room.ts'
import { textFormat } from './chat-format.ts'
import { CheckpointSource, readJson } from './source.ts'
import { readTokenizer, tokenizerKind } from './tokenizer-files.ts'
import type { TokenizerJson } from './tokenizer-json.ts'

export interface TensorFacts {
  name: string
  shape: number[]
  dtype: string
  /** Bundles only. */
  visibility?: string
}

export interface Inspection {
  kind: 'bundle' | 'folder'
  name: string
  config: ModelConfig
  parameters: number
  privateParameters?: number
  tokenizer: string
  chat: boolean
  hash?: string
  calibrated: boolean
  ranges?: RangeEntry[]
  tensors: TensorFacts[]
  notes: string[]
  /** Why the model can't be served privately as it is; empty if it can. */
  blockers: string[]
}

/** Throws `ImportError` or `BundleError` where there is neither a bundle nor a model that could become one. */
export async function inspectModel(dir: string): Promise<Inspection> {
  return existsSync(join(dir, 'manifest.json')) ? inspectBundle(dir) : inspectFolder(dir)
}

async function inspectBundle(dir: string): Promise<Inspection> {
  const manifest = parseManifest(readFileSync(join(dir, 'manifest.json'), 'utf8'))
  const { config } = manifest
  const blockers = Object.keys(manifest.files)
    .filter((file) => !existsSync(join(dir, file)))
    .map((file) => `${file} is missing. Get the bundle again.`)
  const calibrated = Object.keys(manifest.profile).length > 0
  let ranges: RangeEntry[] | undefined
  if (!calibrated) blockers.push(`It is not calibrated: sotto model calibrate ${dir} --text FILE`)
  else
    try {
      const plans = modelPlans(manifest)
      plans.of({ base: 0, rows: config.context })
      refuseTooLarge(manifest.name, plans.privateWeights())
      ranges = (await profileOf(manifest).workshop()).report(manifest)
    } catch (error) {
      blockers.push(error instanceof Error ? error.message : String(error))
    }
  const tokenizer = join(dir, 'tokenizer.json')
  return {
    kind: 'bundle',
    name: manifest.name,
    config,
    ...countParameters(manifest),
    tokenizer: existsSync(tokenizer) ? tokenizerKind(readJson(tokenizer) as TokenizerJson) : 'none',
    chat: manifest.chat !== undefined,
    hash: await modelHash(manifest),
    calibrated,
    ...(ranges ? { ranges } : {}),
    tensors: manifest.tensors.map(({ name, shape, dtype, visibility }) => ({
      name,
      shape,
      dtype,
      visibility,
    })),
    notes: continuesText(config) && !manifest.chat ? ['It has no chat template: it continues a text.'] : [],
    blockers,
  }
}

function inspectFolder(dir: string): Inspection {
  const source = new CheckpointSource(dir)
  try {
    const { config, notes } = source
    const tokenizer = readTokenizer(dir, config, notes)
    const format = continuesText(config) ? textFormat(dir, tokenizer) : { notes: [] }
    const tensors = [...tensorShapes(config)].map(([name, shape]) => ({
      name,
      shape,
      dtype: source.stored(name).dtype,
    }))
    return {
      kind: 'folder',
      name: dir,
      config,
      parameters: tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
      tokenizer: tokenizerKind(tokenizer),
      chat: 'chat' in format && format.chat !== undefined,
      calibrated: false,
      tensors,
      notes: [...notes, ...format.notes],
      blockers: [`It is not a bundle yet: sotto model import ${dir} --out BUNDLE --calibrate FILE`],
    }
  } finally {
    source.close()
  }
}
