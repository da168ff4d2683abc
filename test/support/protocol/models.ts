/** Calibrated models of a few thousand random weights, for tests of the engine. */
import type { ModelConfig, Tensors } from '../../../src/model/architectures/config.ts'
import { EncoderEnds } from '../../../src/model/encoder-ends.ts'
import { Ends } from '../../../src/model/ends.ts'
import type { Visibility } from '../../../src/model/files/manifest.ts'
import type { TextInput } from '../../../src/model/graph/interpret.ts'
import { PredictableRandom, randomModel } from '../../../src/model/random.ts'
import type { ModelSpec } from '../../../src/protections/shared/profiles/fixed/block.ts'
import { calibrate } from '../../../src/protections/shared/profiles/fixed/calibrate.ts'
import { FixedModel } from '../../../src/protections/shared/profiles/fixed/fixed-model.ts'
import type { MatrixRole } from '../../../src/protections/shared/profiles/fixed/matrices.ts'
import type { ProfiledModel } from '../../../src/protections/shared/profiles/profile.ts'
import { ModelPlans } from '../../../src/protections/shared/session/model-plan.ts'

export const tinyLlama: ModelConfig = {
  arch: 'llama',
  vocab: 48,
  dim: 16,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  ff: 24,
  eps: 1e-5,
  context: 128,
  ropeTheta: 10000,
  activation: 'silu',
  tied: true,
}

export const tinyGpt2: ModelConfig = {
  ...tinyLlama,
  arch: 'gpt2',
  kvHeads: 4,
  activation: 'gelu',
  ropeTheta: undefined,
}

export const tinyBert: ModelConfig = {
  arch: 'bert',
  vocab: 48,
  dim: 32,
  layers: 2,
  heads: 4,
  kvHeads: 4,
  ff: 48,
  eps: 1e-12,
  context: 40,
  activation: 'gelu',
  tied: true,
  types: 2,
  head: { kind: 'classify', labels: ['negative', 'neutral', 'positive'] },
}

export const tinyRoberta: ModelConfig = {
  ...tinyBert,
  arch: 'roberta',
  types: 1,
  positionOffset: 2,
  eps: 1e-5,
}

/** A model of any profile, whether it continues texts or reads whole ones. */
export interface AnyTiny {
  readonly config: ModelConfig
  readonly model: ProfiledModel
  readonly tensors: Tensors
}

/** One that continues texts. */
export interface TinyDecoder extends AnyTiny {
  readonly ends: Ends
}

export interface TinyModel extends TinyDecoder {
  readonly model: FixedModel
  readonly spec: ModelSpec
}

export interface TinyEncoder extends Omit<TinyModel, 'ends'> {
  readonly ends: EncoderEnds
}

/** `mixed`: every other matrix is public. `split`: the custody of those that are private. */
export type Privacy = Visibility | 'mixed' | 'split' | 'mixed split'

export function tinyModel(config: ModelConfig, privacy: Privacy = 'private', seed = 7): TinyModel {
  const tensors = randomModel(config, seed)
  // Random weights wander further on some tokens than on others: calibrate on all of them.
  const all = Array.from({ length: config.vocab }, (_, id) => id)
  const ranges = calibrate(config, tensors, [all, all.toReversed()])
  const spec: ModelSpec = { config, ranges, ...whoKnows(privacy) }
  return { config, tensors, spec, model: new FixedModel(spec), ends: new Ends(config, tensors) }
}

function whoKnows(privacy: Privacy): Pick<ModelSpec, 'visibility' | 'custody'> {
  const visibility = (layer: number, role: MatrixRole): Visibility => {
    if (privacy === 'public' || privacy === 'private') return privacy
    if (privacy === 'split') return 'private'
    return (layer + role.length) % 2 === 0 ? 'public' : 'private'
  }
  return { visibility, custody: privacy.endsWith('split') ? 'split' : 'owner-held' }
}

/** Texts that touch every token, each with two types where the model has them. */
function tinyTexts({ vocab, context, types = 1 }: ModelConfig): TextInput[] {
  const random = new PredictableRandom(5)
  return Array.from({ length: 24 }, (_, n) => {
    const length = 3 + random.below(context - 2)
    const ids = Array.from({ length }, (_, i) => (i === 0 ? 1 : (n * 7 + random.below(vocab)) % vocab))
    return { ids, types: ids.map((_, i) => (types > 1 && i > length / 2 ? 1 : 0)) }
  })
}

/** The embedding is public unless `ends` says otherwise, the head as private as the layers. */
export function tinyEncoder(
  config: ModelConfig,
  privacy: Privacy = 'private',
  ends: ModelSpec['ends'] = {},
  seed = 7,
): TinyEncoder {
  const tensors = randomModel(config, seed)
  const ranges = calibrate(config, tensors, tinyTexts(config))
  const own = privacy === 'public' ? 'public' : 'private'
  const spec: ModelSpec = { config, ranges, ...whoKnows(privacy), ends: { pool: own, head: own, ...ends } }
  const model = new FixedModel(spec)
  return { config, tensors, spec, model, ends: new EncoderEnds(config, tensors, new ModelPlans(model)) }
}
