import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { hardCrossEntropy } from '../onnx/loss.ts'
import { ModelTape } from '../onnx/model-tape.ts'
import { type Parameters, summed } from '../onnx/parameters.ts'
import { PerExample } from '../onnx/per-example.ts'
import { Tape, type Value } from '../onnx/tape.ts'
import type { GraphKind } from './classify-graph.ts'

/**
 * A chat model's graph for `examples` dialogues of `length` predicted tokens. It reads the weights, `ids`
 * `[examples * length]`, `targets` (the ids that follow) and `weights`, both `[examples * length, 1]`, 0 for padding, and,
 * to clip, `clip` `[]`. Outputs: `losses` `[examples, 1]`, the weighted sums of nats; unless it only predicts, `d NAME`
 * for the trained tensors; and `norms` `[examples, 1]` when it clips.
 */
export function chatGraph(
  config: ModelConfig,
  examples: number,
  length: number,
  kind: GraphKind,
  trained: ReadonlySet<string>,
): Uint8Array {
  const t = new Tape()
  let clipping: PerExample | undefined
  const parameters = (weights: ReadonlyMap<string, Value>): Parameters => {
    if (kind !== 'clip') return summed(t)
    clipping = new PerExample(t, examples, new Set([...trained].map((name) => weights.get(name)!)))
    return clipping
  }
  const model = new ModelTape(t, config, [examples, length], parameters)
  const rows = examples * length
  const targets = t.input('targets', [rows, 1], 'int64')
  const weights = t.input('weights', [rows, 1])
  const nats = hardCrossEntropy(t, model.tokenLogits(model.hidden()), targets, weights)
  t.output('losses', t.sumLast(t.reshape(t.map('Mul', nats, weights), [examples, length])))
  if (kind === 'predict') return t.model()
  t.backward()
  if (!clipping) {
    for (const name of trained) t.output(`d ${name}`, t.gradient(model.weight(name)))
    return t.model()
  }
  const { sums, norms } = clipping.clipped(t.input('clip', []))
  t.output('norms', norms)
  for (const [weight, sum] of sums) t.output(`d ${weight.name}`, sum)
  return t.model()
}
