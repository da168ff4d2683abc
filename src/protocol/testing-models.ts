/** Calibrated models of a few thousand random weights, for tests of the engine. */
import type { ModelConfig, Tensors } from '../model/config.ts'
import { randomModel } from '../model/random.ts'
import { Ends } from '../owner/ends.ts'
import type { ModelSpec } from './compile/decoder.ts'
import type { MatrixRole, Visibility } from './compile/lower.ts'
import { calibrate } from './compile/ranges.ts'

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

export interface TinyModel {
  readonly config: ModelConfig
  readonly spec: ModelSpec
  readonly tensors: Tensors
  readonly ends: Ends
}

/** `mixed`: every other matrix is public. `split`: the custody of those that are private. */
export type Privacy = Visibility | 'mixed' | 'split' | 'mixed split'

export function tinyModel(config: ModelConfig, privacy: Privacy = 'private', seed = 7): TinyModel {
  const tensors = randomModel(config, seed)
  // Random weights wander further on some tokens than on others: calibrate on all of them.
  const all = Array.from({ length: config.vocab }, (_, id) => id)
  const ranges = calibrate(config, tensors, [all, all.toReversed()])
  const visibility = (layer: number, role: MatrixRole): Visibility => {
    if (privacy === 'public' || privacy === 'private') return privacy
    if (privacy === 'split') return 'private'
    return (layer + role.length) % 2 === 0 ? 'public' : 'private'
  }
  const custody = privacy.endsWith('split') ? 'split' : 'owner-held'
  return { config, tensors, spec: { config, ranges, visibility, custody }, ends: new Ends(config, tensors) }
}
