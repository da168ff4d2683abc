/** What the float model says on the tokens of a bench, and the ranges that its plan is calibrated for; kept between runs. */

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ModelConfig, Tensors } from '../src/model/architectures/config.ts'
import { EncoderEnds } from '../src/model/encoder-ends.ts'
import { Ends } from '../src/model/ends.ts'
import { type ChatTokens, chatOf, type Manifest } from '../src/model/files/manifest.ts'
import { floatModel } from '../src/model/graph/decoder-model.ts'
import { encoderModel } from '../src/model/graph/encoder-model.ts'
import { continuesText } from '../src/model/graph/graph-of.ts'
import { PredictableRandom } from '../src/model/random.ts'
import { generate } from '../src/model/sample.ts'
import { calibrated } from '../src/protections/shared/profiles/calibrated.ts'
import { defaultProfile, profileNamed } from '../src/protections/shared/profiles/lookup.ts'
import { type BenchModel, loadSource, weightStd } from './shapes.ts'

const CACHE = fileURLToPath(new URL('../node_modules/.cache/sotto-bench', import.meta.url))
/** What is kept changes with these. */
const MADE_BY = ['src/protections/shared/profiles', 'src/model', 'bench/expected.ts', 'bench/shapes.ts']
/** Tokens that random shapes are calibrated on. */
const CALIBRATION = 64

export interface Expected {
  readonly ids: number[]
  /** All of the model's. */
  readonly tensors: Tensors
  readonly profile: Manifest['profile']
  readonly weightStd: number
  /** Embedded rows [ids x dim], as the owner would share them; an encoder's are padded to its bucket. */
  readonly embeddings: Float64Array
  readonly padding?: Uint8Array
  /** The normalised hidden state after the last id, before the final norm's gain; an encoder's, all of them, after it. */
  readonly hidden: Float64Array
}

interface Kept {
  ids: number[]
  profile: Manifest['profile']
  weightStd: number
  hidden: number[]
}

/** Float results for `length` tokens: random ids for random weights, the model's own words for a trained one. */
export async function expectedResults(
  source: BenchModel,
  length: number,
  profileId?: string,
): Promise<Expected & { config: ModelConfig }> {
  const name = source.kind === 'bundle' ? source.dir : source.shape
  const stamp = source.kind === 'bundle' ? readFileSync(join(source.dir, 'manifest.json'), 'utf8') : source
  const key = createHash('sha256')
    .update(
      JSON.stringify({
        stamp,
        length,
        profileId,
        code: MADE_BY.flatMap(sourcesIn).map((path) => readFileSync(path, 'utf8')),
      }),
    )
    .digest('hex')
    .slice(0, 16)
  const file = join(CACHE, `${name.split(/[\\/]/).at(-1)}-${length}-${key}.json`)
  const { config, tensors, bundle, profile } = await loadSource(source)
  if (!existsSync(file)) {
    const ids =
      source.kind === 'random'
        ? randomIds(config, length, 3)
        : spoken(config, tensors, chatOf(bundle!.manifest), length)
    const made: Kept = {
      ids,
      profile:
        profile ??
        bundle?.manifest.profile ??
        (await calibrated(
          config,
          tensors,
          [randomIds(config, calibrationOf(config, length), 2)],
          profileId === undefined ? defaultProfile() : profileNamed(profileId),
        )),
      weightStd: weightStd(tensors),
      hidden: [...hiddenState(config, tensors, ids)],
    }
    mkdirSync(CACHE, { recursive: true })
    writeFileSync(file, JSON.stringify(made))
  }
  const kept = JSON.parse(readFileSync(file, 'utf8')) as Kept
  const hidden = Float64Array.from(kept.hidden)
  if (continuesText(config))
    return { ...kept, config, tensors, hidden, embeddings: new Ends(config, tensors).embed(kept.ids, 0) }
  const { rows, padding } = new EncoderEnds(config, tensors).input({ ids: kept.ids })
  return { ...kept, config, tensors, hidden, embeddings: rows, padding }
}

/** A file, or all source files below a folder. */
function sourcesIn(path: string): string[] {
  const at = fileURLToPath(new URL(`../${path}`, import.meta.url))
  if (path.endsWith('.ts')) return [at]
  const files = readdirSync(at, { recursive: true, encoding: 'utf8' })
  return files
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .sort()
    .map((name) => join(at, name))
}

/** Rows of an encoder attend to all others, so that it is measured at the length that it will have. */
const calibrationOf = (config: ModelConfig, length: number): number =>
  Math.min(continuesText(config) ? CALIBRATION : length, config.context)

function randomIds({ vocab }: ModelConfig, length: number, seed: number): number[] {
  const random = new PredictableRandom(seed)
  return Array.from({ length }, () => random.below(vocab))
}

/** A trained model is measured on text of its own. */
function spoken(config: ModelConfig, tensors: Tensors, { bos, user }: ChatTokens, length: number): number[] {
  const prompt = [bos, user].flat()
  const made = generate(floatModel(config, tensors), prompt, { seed: 1, maxTokens: length - prompt.length })
  return [...prompt, ...made]
}

function hiddenState(config: ModelConfig, tensors: Tensors, ids: number[]): Float64Array {
  if (!continuesText(config)) return encoderModel(config, tensors).forward({ ids }).hidden
  let normal = new Float64Array()
  const model = floatModel(config, tensors, (name, _layer, values) => {
    if (name === 'final-normalised') normal = values.slice()
  })
  model.forward(ids)
  return normal.subarray(normal.length - config.dim)
}

/** Largest and mean distance of two vectors. */
export function errors(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
): { maxAbsError: number; meanAbsError: number } {
  let [max, sum] = [0, 0]
  for (let i = 0; i < want.length; i++) {
    const distance = Math.abs(got[i] - want[i])
    max = Math.max(max, distance)
    sum += distance
  }
  return { maxAbsError: max, meanAbsError: sum / want.length }
}
