import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { writeBundle } from '../../src/model/files/bundle-node.ts'
import type { Manifest } from '../../src/model/files/manifest.ts'
import { chatTemplate } from '../../src/model/tokenizer/chat.ts'
import { chatSpecials, specialId } from './dialogues.ts'

/** What a bundle says about itself. Weights inherit the licence of the data they were learned from. */
export interface About {
  name: string
  description: string
  license: string
  /** Where the training data comes from, and under what licence. */
  source: string
}

/** Turn trained weights, and the tokenizer in `trainDir`, into a bundle at `dir`. */
export async function exportBundle(
  dir: string,
  trainDir: string,
  config: ModelConfig,
  weights: Tensors,
  about: About,
): Promise<Manifest> {
  const path = join(trainDir, 'tokenizer.json')
  const json = JSON.parse(readFileSync(path, 'utf8')) as object
  const tokenizer = new Tokenizer(json, {})
  const [bos, user, assistant, end] = chatSpecials.map((token) => specialId(tokenizer, token))
  return writeBundle(dir, {
    ...about,
    config,
    chat: { template: chatTemplate, bos, user, assistant, end, stop: [end] },
    profile: {},
    tokenizer: json,
    tensors: weights,
  })
}
