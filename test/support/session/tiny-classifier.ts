/** A calibrated classifier of a few thousand random weights, for tests of everything around the model. */
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import type { ModelConfig } from '../../../src/model/architectures/config.ts'
import {
  type Bundle,
  type BundleParts,
  loadBundle,
  writeBundle,
} from '../../../src/model/files/bundle-node.ts'
import { PredictableRandom, randomModel } from '../../../src/model/random.ts'
import { encodeForEncoder } from '../../../src/model/tokenizer/encode-text.ts'
import { calibrated } from '../../../src/protections/shared/profiles/calibrated.ts'
import { wordPieceJson, wordPieceVocabulary } from '../../../tools/train/wordpiece.ts'

const classifierConfig: ModelConfig = {
  arch: 'bert',
  vocab: 170,
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
  head: { kind: 'classify', labels: ['negative', 'neutral', 'positive'], pairs: true },
}

const words = 'a film that is good bad long short funny sad but not very the story was and I liked hated it'

/** Writes the bundle to `folder/name` and reads it back. */
export async function writeTinyClassifier(
  folder: string,
  name = 'classifier',
  changes: Partial<ModelConfig> = {},
  about: Pick<BundleParts, 'pooling'> = {},
): Promise<Bundle> {
  const config = { ...classifierConfig, ...changes }
  const json = wordPieceJson(wordPieceVocabulary([words], { size: config.vocab, suffixes: 0 }))
  const tokenizer = new Tokenizer(json, {})
  const random = new PredictableRandom(3)
  const all = words.split(' ')
  const some = (): string =>
    Array.from({ length: 1 + random.below(30) }, () => all[random.below(all.length)]).join(' ')
  const texts = Array.from({ length: 40 }, (_, i) =>
    encodeForEncoder(tokenizer, config, config.context, some(), i % 2 === 0 ? undefined : some()),
  )
  const tensors = randomModel(config, 11)
  await writeBundle(join(folder, name), {
    name: 'Tiny classifier',
    description: 'A test.',
    license: 'CC0',
    source: 'random numbers',
    config,
    profile: await calibrated(config, tensors, texts),
    tokenizer: json,
    tensors,
    dtype: 'F32',
    ...about,
  })
  return loadBundle(join(folder, name))
}
