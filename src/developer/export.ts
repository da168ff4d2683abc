import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeBundle } from '../model/bundle-node.ts'
import { chatTemplate } from '../model/chat.ts'
import type { ModelConfig, Tensors } from '../model/config.ts'
import type { Manifest } from '../model/manifest.ts'
import { fromTokenizerJson, type toTokenizerJson } from './bpe.ts'

export interface About {
  name: string
  description: string
  license: string
  source: string
}

/** What the demonstration model says about itself; the weights inherit the licence of their data. */
export const demoAbout: About = {
  name: 'sotto-demo',
  description:
    'A small chat model for restaurants, hotels, travel, banks, doctors, music and other services. ' +
    'It shows private inference; its answers are made up.',
  license: 'CC-BY-SA-4.0',
  source:
    'Trained from scratch on the training split of the Schema-Guided Dialogue dataset ' +
    '(Google Research, https://github.com/google-research-datasets/dstc8-schema-guided-dialogue, CC BY-SA 4.0).',
}

/** Turn trained weights, and the tokenizer in `trainDir`, into a bundle at `dir`. */
export async function exportBundle(
  dir: string,
  trainDir: string,
  config: ModelConfig,
  weights: Tensors,
  about: About = demoAbout,
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
