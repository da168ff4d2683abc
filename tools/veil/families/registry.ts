/** The families that can be veiled. */
import type { HfConfig } from '../../../src/model/architectures/hf-reader.ts'
import { VeilError } from '../error.ts'
import type { Family } from '../tensor-spec.ts'
import { bert, roberta } from './bert.ts'
import { gpt2 } from './gpt2.ts'
import { llama } from './llama.ts'
import { llava } from './llava.ts'
import { mixtral } from './mixtral.ts'
import { vit } from './vit.ts'

export const families: readonly Family[] = [gpt2, llama, mixtral, bert, roberta, vit, llava]

/** The family of a `config.json`. Throws {@link VeilError}. */
export function familyOf({ model_type: type }: HfConfig): Family {
  const found = families.find(({ modelTypes }) => modelTypes.includes(String(type)))
  if (found) return found
  const known = families.flatMap(({ modelTypes }) => modelTypes)
  throw new VeilError(
    'unsupported',
    `There is no exact rule for model_type "${String(type)}". Known are ${known.slice(0, -1).join(', ')} and ${known.at(-1)}.`,
  )
}
