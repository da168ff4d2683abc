/**
 * The architectures that there are. A new one is a file beside this with its data, a line here, and a twin in `test/twins`,
 * written from its paper, that tests hold all that is made of it against.
 */
import { albert } from './albert.ts'
import type { Architecture } from './architecture.ts'
import { bert } from './bert.ts'
import type { ModelConfig } from './config.ts'
import { distilbert } from './distilbert.ts'
import { electra } from './electra.ts'
import { gemma, gemma2, gemma3 } from './gemma.ts'
import { gpt2 } from './gpt2.ts'
import { llama } from './llama.ts'
import { modernbert } from './modernbert.ts'
import { parallelLlama } from './parallel-llama.ts'
import { phi3 } from './phi3.ts'
import { qwen2 } from './qwen2.ts'
import { qwen3 } from './qwen3.ts'
import { rmsBert } from './rms-bert.ts'
import { roberta } from './roberta.ts'
import { stablelm, stablelm2 } from './stablelm.ts'

export const architectures: readonly Architecture[] = [
  gpt2,
  llama,
  qwen2,
  qwen3,
  phi3,
  gemma,
  gemma2,
  gemma3,
  stablelm,
  stablelm2,
  bert,
  roberta,
  distilbert,
  electra,
  albert,
  modernbert,
  rmsBert,
  parallelLlama,
]

/** Their names, as configurations have them. */
export const architectureNames: readonly string[] = architectures.map(({ name }) => name)

/** What a configuration's `arch` names. Throws where there is no such architecture. */
export function architectureOf({ arch }: Pick<ModelConfig, 'arch'>): Architecture {
  const found = architectures.find(({ name }) => name === arch)
  if (!found)
    throw new Error(`There is no architecture "${arch}"; there are ${architectureNames.join(', ')}.`)
  return found
}
