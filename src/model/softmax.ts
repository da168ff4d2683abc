/** How attention turns a row of logits into weights, as the model's configuration says. */
import type { ModelConfig } from './architectures/config.ts'
import { cappedSoftmax, type Floats, softcap, softmax } from './math.ts'

/**
 * In place: soft-capped where the model says so, then a softmax, or SPRINT's with a constant cap. One row of one head: all
 * the positions that it sees.
 */
export function attentionWeights(config: Pick<ModelConfig, 'softcap' | 'softmaxCap'>, logits: Floats): void {
  const { softcap: cap, softmaxCap } = config
  if (cap !== undefined) for (let i = 0; i < logits.length; i++) logits[i] = softcap(logits[i], cap)
  if (softmaxCap === undefined) softmax(logits)
  else cappedSoftmax(logits, softmaxCap)
}
