import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { writeBundle } from '../../src/model/files/bundle-node.ts'
import type { Manifest } from '../../src/model/files/manifest.ts'
import { chatTemplate } from '../../src/model/tokenizer/chat.ts'
import { fromTokenizerJson, type toTokenizerJson } from './bpe.ts'

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
  const tokenizer = JSON.parse(readFileSync(path, 'utf8')) as ReturnType<typeof toTokenizerJson>
  const { specials } = fromTokenizerJson(tokenizer)
  const [bos, user, assistant, end] = ['bos', 'user', 'assistant', 'end'].map((name) =>
    specials.indexOf(`<|${name}|>`),
  )
  return writeBundle(dir, {
    ...about,
    config,
    chat: { template: chatTemplate, bos, user, assistant, end, stop: [end] },
    profile: {},
    tokenizer,
    tensors: weights,
  })
}
