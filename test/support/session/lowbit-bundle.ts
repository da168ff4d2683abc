/** Quantized bundles of a few thousand random weights, for tests of everything around the model. */
import { join } from 'node:path'
import type { ModelConfig } from '../../../src/model/architectures/config.ts'
import { type Bundle, loadBundle, writeBundle } from '../../../src/model/files/bundle-node.ts'
import { continuesText } from '../../../src/model/graph/graph-of.ts'
import { calibrated } from '../../../src/protections/shared/profiles/calibrated.ts'
import { profileNamed } from '../../../src/protections/shared/profiles/lookup.ts'
import {
  type ColumnScales,
  randomQuantization,
  randomSigns,
} from '../../../src/protections/shared/profiles/lowbit/random.ts'
import { toTokenizerJson, trainBpe } from '../../../tools/train/bpe.ts'
import { chatSpecials } from '../../../tools/train/dialogues.ts'
import { wordPieceJson, wordPieceVocabulary } from '../../../tools/train/wordpiece.ts'
import { OCTAVES } from '../protocol/lowbit.ts'

const VOCAB = 270
const words = 'a film that is good bad long short funny sad but not very the story was and I liked hated it'

/** Writes a bundle to `folder/name` and reads it back: a chat, or a classifier, by the configuration's form. */
export async function writeLowbitBundle(
  folder: string,
  name: string,
  changes: ModelConfig,
  scales: ColumnScales = 'private',
): Promise<Bundle> {
  const config = { ...changes, vocab: VOCAB }
  // Short texts of random weights attend evenly, or the sum of a row's weights would fall far below the cap.
  const tensors = randomSigns(config, randomQuantization(config, { scales, octaves: OCTAVES / 8 }), scales)
  const all = Array.from({ length: VOCAB }, (_, id) => id)
  const sequences = Array.from({ length: Math.ceil(VOCAB / 30) }, (_, i) => all.slice(30 * i, 30 * i + 30))
  const isChat = continuesText(config)
  await writeBundle(join(folder, name), {
    name: `Quantized ${isChat ? 'chat' : 'classifier'}`,
    description: 'A test.',
    license: 'CC0',
    source: 'random numbers',
    chat: isChat ? { template: '', bos: 0, user: 1, assistant: 2, end: 3, stop: [3] } : undefined,
    config,
    profile: await calibrated(config, tensors, sequences, profileNamed('lowbit')),
    tokenizer: isChat
      ? toTokenizerJson(trainBpe(['Hello, how are you?'], VOCAB, chatSpecials))
      : wordPieceJson(wordPieceVocabulary([words], { size: VOCAB, suffixes: 0 })),
    tensors,
  })
  return loadBundle(join(folder, name))
}
