/** Private labels against the float model's and the oracle's: all three parties in this process with real shares. */
import { Tokenizer } from '@huggingface/tokenizers'
import { createNodeKernels } from '../../src/kernels/node/kernels.ts'
import { EncoderEnds } from '../../src/model/encoder-ends.ts'
import type { Bundle } from '../../src/model/files/bundle-node.ts'
import { encoderModel } from '../../src/model/graph/encoder-model.ts'
import { encodeForEncoder } from '../../src/model/tokenizer/encode-text.ts'
import { LocalParties } from '../../src/protections/shared/local/local-parties.ts'
import { toFloats } from '../../src/protections/shared/ring.ts'
import { modelPlans } from '../../src/protections/shared/session/model-plan.ts'
import { type Example, labelNumber } from '../finetune/data.ts'

export interface LabelAgreement {
  readonly texts: number
  /** Shares of the texts whose likeliest label is that of the data. */
  readonly clearAccuracy: number
  readonly oracleAccuracy: number
  readonly privateAccuracy: number
  /** Share of the texts that the float model and the private one label alike. */
  readonly same: number
  /** Of the logits, private against float. */
  readonly meanAbsError: number
  readonly maxAbsError: number
  /** Values out of their range, and released values that differ from the oracle's. */
  readonly violations: number
  readonly mismatches: number
}

/**
 * Labels each text in floating point, by the integer plan (given the owner's share of each truncated value) and
 * privately. Throws for a model that gives no labels, or an example with a label that the model lacks.
 */
export async function labelAgreement(
  { manifest, tensors, tokenizer: json }: Bundle,
  examples: readonly Example[],
  onProgress: (done: number) => void = () => undefined,
): Promise<LabelAgreement> {
  const { config, name } = manifest
  if (config.head?.kind !== 'classify') throw new Error(`The model '${name}' gives no labels.`)
  const { labels } = config.head
  const tokenizer = new Tokenizer(json, {})
  const float = encoderModel(config, tensors)
  const plans = modelPlans(manifest)
  const ends = new EncoderEnds(config, tensors, plans)
  const parties = new LocalParties(plans.model, tensors, { kernels: createNodeKernels() })
  const right = { clear: 0, oracle: 0, private: 0 }
  let [same, sum, largest, violations, mismatches] = [0, 0, 0, 0, 0]
  for (const [at, { text, pair, label }] of examples.entries()) {
    const gold = labelNumber(label, labels)
    if (gold === undefined)
      throw new Error(`The model has no label "${label}": it knows ${labels.slice(0, 8).join(', ')}.`)
    const encoded = encodeForEncoder(tokenizer, config, config.context, text, pair)
    const want = float.forward(encoded).logits ?? new Float64Array()
    const { rows, padding } = ends.input(encoded)
    const trace = await parties.pass(0, rows, padding)
    const checked = parties.oracle(trace)
    violations += checked.violations.length
    const { out } = trace.plan.steps[trace.plan.steps.length - 1]
    const [plain, own] = [checked.pass.get(out), trace.owner.get(out)]
    for (let i = 0; i < plain.length; i++) if (plain[i] !== own[i]) mismatches++
    const picked = {
      clear: likeliest(want),
      oracle: likeliest(toFloats(plain, out.ring, out.scale.bits)),
      private: likeliest(trace.released),
    }
    for (const kind of ['clear', 'oracle', 'private'] as const) if (picked[kind] === gold) right[kind]++
    if (picked.clear === picked.private) same++
    for (let i = 0; i < want.length; i++) {
      const error = Math.abs(trace.released[i] - want[i])
      sum += error / want.length
      largest = Math.max(largest, error)
    }
    onProgress(at + 1)
  }
  const n = examples.length
  return {
    texts: n,
    clearAccuracy: right.clear / n,
    oracleAccuracy: right.oracle / n,
    privateAccuracy: right.private / n,
    same: same / n,
    meanAbsError: sum / n,
    maxAbsError: largest,
    violations,
    mismatches,
  }
}

const likeliest = (logits: Float64Array): number => logits.indexOf(Math.max(...logits))
