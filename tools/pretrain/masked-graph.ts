import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { dense } from '../onnx/dense.ts'
import { hardCrossEntropy, squaredError } from '../onnx/loss.ts'
import { summed } from '../onnx/parameters.ts'
import { Tape } from '../onnx/tape.ts'
import { EncoderGraph } from './forward.ts'

/** Tensors of pre-training besides the encoder's own: the pooler, and a linear guess of the sentence from it. */
export function sentenceShapes({ dim }: ModelConfig, targets: number): Map<string, number[]> {
  return new Map([
    ['bert.pooler.dense.weight', [dim, dim]],
    ['bert.pooler.dense.bias', [dim]],
    ['sentence.weight', [targets, dim]],
    ['sentence.bias', [targets]],
  ])
}

/** How many tokens of a batch are hidden: a fixed share, because a graph has fixed shapes. */
export const hiddenCount = (examples: number, length: number): number =>
  Math.max(1, Math.floor(0.12 * examples * length))

/**
 * One step of pre-training, as an ONNX model. Besides the encoder's inputs it reads `rows` (numbers of the hidden tokens'
 * rows), `targets` (what they were), `weights`, and `sentence` with `sentence weights`. Outputs: `loss` per hidden token,
 * `sentence loss` per text, `d embedded`, and `d NAME` for every tensor.
 */
export function maskedGraph(
  config: ModelConfig,
  examples: number,
  length: number,
  targets: number,
): Uint8Array {
  const t = new Tape()
  const extra = sentenceShapes(config, targets)
  const model = new EncoderGraph(t, config, [examples, length], () => summed(t), extra)
  const count = hiddenCount(examples, length)
  const rows = t.input('rows', [count], 'int64')
  const gold = t.input('targets', [count, 1], 'int64')
  const weights = t.input('weights', [count, 1])
  const about = t.input('sentence', [examples, targets])
  const aboutWeights = t.input('sentence weights', [examples, 1])
  const hidden = model.hidden()
  const logits = model.tokenLogits(hidden, rows)
  const guess = dense(
    t,
    summed(t),
    model.pooled(hidden),
    model.weight('sentence.weight'),
    model.weight('sentence.bias'),
  )
  const loss = hardCrossEntropy(t, logits, gold, weights)
  const sentenceLoss = squaredError(t, guess, about, aboutWeights)
  t.backward()
  t.output('loss', loss)
  t.output('sentence loss', sentenceLoss)
  t.output('d embedded', t.gradient(model.embedded))
  for (const [name, value] of model.weights)
    if (!/(position|token_type)_embeddings/.test(name)) t.output(`d ${name}`, t.gradient(value))
  return t.model()
}
