/** Quantized models of a few thousand random weights, for tests of the engine. */
import type { ModelConfig } from '../../../src/model/architectures/config.ts'
import { EncoderEnds } from '../../../src/model/encoder-ends.ts'
import { Ends } from '../../../src/model/ends.ts'
import { isOfLayer } from '../../../src/model/graph/tensors.ts'
import { LowbitModel, specOf } from '../../../src/protections/shared/profiles/lowbit/lowbit-model.ts'
import {
  type ColumnScales,
  randomQuantization,
  randomSigns,
} from '../../../src/protections/shared/profiles/lowbit/random.ts'
import type { AnyTiny, TinyDecoder } from './models.ts'

export const tinyRmsBert: ModelConfig = {
  arch: 'rms-bert',
  vocab: 48,
  dim: 32,
  layers: 2,
  heads: 2,
  kvHeads: 2,
  ff: 48,
  eps: 1e-6,
  context: 40,
  activation: 'relu',
  tied: true,
  types: 2,
  head: { kind: 'classify', labels: ['negative', 'neutral', 'positive'] },
}

export const tinyParallel: ModelConfig = {
  arch: 'parallel-llama',
  vocab: 48,
  dim: 32,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  ff: 40,
  eps: 1e-6,
  context: 128,
  activation: 'linear',
  tied: true,
}

/** Scores' standard deviation: with more, random rows' largest ones lie too far apart for one cap. */
export const OCTAVES = 0.5

export interface LowbitOptions {
  readonly scales?: ColumnScales
  readonly isSplit?: boolean
  readonly seed?: number
  readonly variant?: 'tables'
}

function parts(config: ModelConfig, { scales = 'public', isSplit, seed, variant }: LowbitOptions) {
  const q = { ...randomQuantization(config, { scales, octaves: OCTAVES }), variant }
  const model = new LowbitModel(specOf('tiny', config, q, { isSplit }))
  return { config, model, tensors: randomSigns(config, q, scales, seed) }
}

/** A random model that continues texts. */
export function lowbitDecoder(config: ModelConfig, o: LowbitOptions = {}): TinyDecoder {
  const made = parts(config, o)
  return { ...made, ends: new Ends(config, made.tensors) }
}

/** A random model that reads whole texts. */
export function lowbitEncoder(
  config: ModelConfig,
  o: LowbitOptions = {},
): AnyTiny & { readonly ends: EncoderEnds } {
  const made = parts(config, o)
  return { ...made, ends: new EncoderEnds(config, made.tensors) }
}

/** Two decoders that differ in their private weights alone: shapes, names, public tensors and quantization are the same. */
export function lowbitTwins(config: ModelConfig, o: LowbitOptions = {}): [TinyDecoder, TinyDecoder] {
  const first = lowbitDecoder(config, o)
  const tensors = new Map(first.tensors)
  for (const [name, tensor] of lowbitDecoder(config, { ...o, seed: 99 }).tensors)
    if (isOfLayer(config, name)) tensors.set(name, tensor)
  return [first, { ...first, tensors }]
}
