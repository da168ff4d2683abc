/** A Hugging Face folder becomes a bundle. */

import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { ModelConfig, Tensor } from '../../src/model/architectures/config.ts'
import { Estimate, spokenPace, spokenTime } from '../../src/model/estimate.ts'
import { BundleError } from '../../src/model/files/bundle-error.ts'
import { writeBundle } from '../../src/model/files/bundle-node.ts'
import { countParameters } from '../../src/model/files/catalog.ts'
import { type Manifest, modelHash } from '../../src/model/files/manifest.ts'
import type { Dtype } from '../../src/model/files/safetensors.ts'
import { continuesText } from '../../src/model/graph/graph-of.ts'
import { tensorShapes } from '../../src/model/graph/tensors.ts'
import type { RangeEntry } from '../../src/protections/shared/profiles/workshop.ts'
import { measureBundle } from '../calibrate/calibrate.ts'
import { applyScaling, balance, type Scaling } from './balance.ts'
import { textFormat } from './chat-format.ts'
import { ImportError } from './error.ts'
import { sentenceModel } from './sentence-model.ts'
import { CheckpointSource } from './source.ts'
import { staged } from './staging.ts'
import { readTokenizer, tokenizerKind } from './tokenizer-files.ts'
import { chosenVisibility } from './visibility.ts'

export interface ImportOptions {
  /** A folder with `config.json`, safetensors and a tokenizer. */
  from: string
  /** The bundle's folder, which must not exist yet. */
  out: string
  /** `blocks`, `all`, `none`, `head` or patterns of tensor names; see `chosenVisibility`. */
  private?: string
  about?: Partial<Pick<Manifest, 'name' | 'description' | 'license' | 'source'>>
  /** F16 unless said otherwise. */
  dtype?: Dtype
  /** A classifier's input is two texts; where nothing is said, `finetuning_task` tells. */
  pairs?: boolean
  /** A shorter context than the model's own: rings are sized for it. */
  context?: number
  /** Rescale channels that stand out (the default); the model's function stays what it was. */
  balance?: boolean
  /** A file of text or dialogues to calibrate on. */
  calibrate?: string
  tokens?: number
  onProgress?: (text: string) => void
}

export interface ImportReport {
  bundle: string
  hash: string
  config: ModelConfig
  parameters: number
  privateParameters: number
  dtype: Dtype
  tokenizer: string
  chat: boolean
  /** Tensors of which channels were rescaled. */
  balanced: number
  calibrated: boolean
  ranges?: RangeEntry[]
  notes: string[]
}

interface Made {
  manifest: Manifest
  ranges?: RangeEntry[]
}

/** Throws {@link ImportError}, or what calibration throws; then nothing is left at `out`. */
export async function importModel(o: ImportOptions): Promise<ImportReport> {
  if (existsSync(join(o.from, 'manifest.json')))
    throw new ImportError(
      'unsupported',
      `${o.from} is a bundle already: sotto model calibrate ${o.from} --text FILE`,
      {
        file: o.from,
      },
    )
  const sentence = sentenceModel(o.from)
  const from = sentence?.transformer ?? o.from
  const source = new CheckpointSource(from, {
    context: o.context,
    pairs: o.pairs,
    isHeadless: sentence !== undefined,
    longestText: sentence?.maxTokens,
  })
  try {
    const { config, notes } = source
    const tokenizer = readTokenizer(from, config, notes)
    const format = continuesText(config) ? textFormat(from, tokenizer) : { notes: [] }
    const { notes: said, ...texts } = format
    const visibility = chosenVisibility(config, o.private ?? 'blocks')
    const reading = counted(config, 'Reading the weights', o.onProgress)
    const scalings =
      o.balance === false
        ? new Map<string, Scaling>()
        : await balance(config, (name) => reading(name, source.get(name)!))
    const name = o.about?.name ?? basename(resolve(o.from))
    const dtype = o.dtype ?? 'F16'
    const { manifest, ranges } = await staged(o.out, async (dir): Promise<Made> => {
      const writing = counted(config, 'Writing the bundle', o.onProgress)
      const manifest = await writeBundle(dir, {
        name,
        description: o.about?.description ?? `Imported from ${name}.`,
        license: o.about?.license ?? 'unknown',
        source: o.about?.source ?? 'unknown',
        ...texts,
        pooling: sentence?.pooling,
        config,
        profile: {},
        tokenizer,
        visibility,
        dtype,
        tensors: {
          get: (tensor) => {
            const read = source.get(tensor)
            if (read) applyScaling(config, read, scalings.get(tensor))
            return read && writing(tensor, read)
          },
        },
      })
      if (o.calibrate === undefined) return { manifest }
      const estimate = new Estimate(0)
      const onProgress = (done: number, total: number) => {
        const pace = estimate.at(done, total)
        const left = pace ? `, ${spokenTime(pace.secondsLeft)} left` : ''
        o.onProgress?.(`Calibrating: ${Math.min(done, total)} of ${total} tokens${left}`)
      }
      const measured = await measureBundle({ bundle: dir, data: o.calibrate, tokens: o.tokens, onProgress })
      return { manifest: measured.manifest, ranges: measured.ranges }
    })
    const scaled = [...tensorShapes(config).keys()].filter((tensor) => scalings.has(tensor))
    return {
      bundle: o.out,
      hash: await modelHash(manifest),
      config,
      ...countParameters(manifest),
      dtype,
      tokenizer: tokenizerKind(tokenizer),
      chat: manifest.chat !== undefined,
      balanced: scaled.length,
      calibrated: ranges !== undefined,
      ...(ranges ? { ranges } : {}),
      notes: [...notes, ...said, ...(sentence?.notes ?? [])],
    }
  } catch (error) {
    throw explained(error, o.from)
  } finally {
    source.close()
  }
}

/** Tells of the tensors that pass through it, the first time that each does: how much of a model that is. */
function counted(
  config: ModelConfig,
  what: string,
  onProgress: ImportOptions['onProgress'],
): (name: string, tensor: Tensor) => Tensor {
  const shapes = tensorShapes(config)
  const size = (shape: readonly number[] = []): number => shape.reduce((a, b) => a * b, 1)
  const total = [...shapes.values()].reduce((sum, shape) => sum + size(shape), 0)
  const estimate = new Estimate(SAID_EVERY_MS)
  let done = 0
  onProgress?.(what)
  return (name, tensor) => {
    if (shapes.has(name)) done += size(shapes.get(name))
    shapes.delete(name)
    const pace = estimate.at(done, total)
    if (pace) onProgress?.(`${what}: ${spokenPace(pace)}`)
    return tensor
  }
}

/** Between two times that something is said of how far an import is. */
const SAID_EVERY_MS = 250

/** Complaints of the bundle's writer are about the checkpoint here. */
function explained(error: unknown, from: string): unknown {
  if (!(error instanceof BundleError)) return error
  if (error.code === 'bad-tensors')
    return new ImportError('bad-values', `${from}: ${error.message}`, { file: from, cause: error })
  const why = `a bundle made of it could not be read: ${error.message}`
  return new ImportError('bad-file', `${from}: ${why}`, { file: from, cause: error })
}
