/** What a classifier says without any protection, for someone who has the whole bundle. */
import { Tokenizer } from '@huggingface/tokenizers'
import { loadBundle } from '../../model/files/bundle-node.ts'
import { encoderModel } from '../../model/graph/encoder-model.ts'
import { softmax } from '../../model/math.ts'
import { encodeForEncoder } from '../../model/tokenizer/encode-text.ts'
import type { Classification, ClassifyInput } from '../../owner/api.ts'
import { buckets } from '../../protections/shared/session/buckets.ts'
import { UsageError } from '../args.ts'

/** The float64 reference; texts are cut where the private run would cut them. Throws a `UsageError` without labels. */
export async function clearModel(dir: string): Promise<(input: ClassifyInput) => Classification> {
  const { manifest, tensors, tokenizer: json } = await loadBundle(dir)
  const { config, name } = manifest
  if (config.head?.kind !== 'classify') throw new UsageError(`The model '${name}' has no labels to give.`)
  const { labels } = config.head
  const tokenizer = new Tokenizer(json, {})
  const model = encoderModel(config, tensors)
  const longest = Math.max(...buckets(config))
  return ({ text, pair }) => {
    const encoded = encodeForEncoder(tokenizer, config, longest, text, pair)
    const probabilities = model.forward(encoded).logits!
    softmax(probabilities)
    return {
      label: labels[probabilities.indexOf(Math.max(...probabilities))],
      probabilities: labels.map((label, i) => ({ label, probability: probabilities[i] })),
      isCut: encoded.isCut,
    }
  }
}
