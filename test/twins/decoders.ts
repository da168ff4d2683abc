/** The twins of models that continue a text. */
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import type { TwinTensors, Vector } from './formulas.ts'
import { GemmaTwin } from './gemma.ts'
import { Gpt2Twin } from './gpt2.ts'
import { LlamaTwin } from './llama.ts'
import { ParallelLlamaTwin } from './parallel-llama.ts'
import { Phi3Twin } from './phi3.ts'

const twins: Record<
  string,
  typeof LlamaTwin | typeof GemmaTwin | typeof Gpt2Twin | typeof ParallelLlamaTwin
> = {
  llama: LlamaTwin,
  qwen2: LlamaTwin,
  qwen3: LlamaTwin,
  phi3: Phi3Twin,
  stablelm: LlamaTwin,
  gemma: GemmaTwin,
  gemma2: GemmaTwin,
  gemma3: GemmaTwin,
  'stablelm-2': LlamaTwin,
  gpt2: Gpt2Twin,
  'parallel-llama': ParallelLlamaTwin,
}

/** The twin of a decoder, before its first token. */
export const decoderTwin = (config: ModelConfig, tensors: TwinTensors): { next(id: number): Vector } =>
  new twins[config.arch](config, tensors)

/** Logits behind each token, one after another: [n x vocab]. */
export function twinLogits(config: ModelConfig, tensors: TwinTensors, ids: readonly number[]): Vector {
  const twin = decoderTwin(config, tensors)
  return ids.flatMap((id) => twin.next(id))
}

/** Mean nats for each token that follows another. */
export function twinLoss(config: ModelConfig, tensors: TwinTensors, ids: readonly number[]): number {
  const twin = decoderTwin(config, tensors)
  const nats = ids.slice(1).map((following, t) => {
    const logits = twin.next(ids[t])
    return Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0)) - logits[following]
  })
  return nats.reduce((a, b) => a + b) / nats.length
}
