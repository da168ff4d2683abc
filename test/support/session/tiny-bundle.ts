/** A calibrated model bundle of a few thousand random weights, for tests of everything around the model. */
import { join } from 'node:path'
import type { ModelConfig } from '../../../src/model/architectures/config.ts'
import { type Bundle, loadBundle, writeBundle } from '../../../src/model/files/bundle-node.ts'
import { randomModel } from '../../../src/model/random.ts'
import { calibrated } from '../../../src/protections/shared/profiles/calibrated.ts'
import { toTokenizerJson, trainBpe } from '../../../tools/train/bpe.ts'
import { chatSpecials } from '../../../tools/train/dialogues.ts'

export const tinyConfig: ModelConfig = {
  arch: 'llama',
  vocab: 270,
  dim: 32,
  layers: 1,
  heads: 4,
  kvHeads: 2,
  ff: 48,
  eps: 1e-5,
  context: 256,
  ropeTheta: 10000,
  activation: 'silu',
  tied: true,
}

/** Writes the bundle to `folder/name` and reads it back. */
export async function writeTinyBundle(
  folder: string,
  name = 'tiny',
  changes: Partial<ModelConfig> = {},
): Promise<Bundle> {
  const config = { ...tinyConfig, ...changes }
  const tensors = randomModel(config, 7)
  // Random weights wander further on some tokens than on others: calibrate on all of them.
  const all = Array.from({ length: config.vocab }, (_, id) => id)
  const sequences = Array.from({ length: Math.ceil(config.vocab / 40) }, (_, i) =>
    all.slice(40 * i, 40 * i + 40),
  )
  await writeBundle(join(folder, name), {
    name: 'Tiny',
    description: 'A test.',
    license: 'CC0',
    source: 'random numbers',
    chat: { template: '', bos: 0, user: 1, assistant: 2, end: 3, stop: [3] },
    config,
    profile: await calibrated(config, tensors, sequences),
    tokenizer: toTokenizerJson(trainBpe(['Hello, how are you?'], config.vocab, chatSpecials)),
    tensors,
  })
  return loadBundle(join(folder, name))
}
