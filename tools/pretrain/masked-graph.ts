import type { ModelConfig } from '../../src/model/architectures/config.ts'
import type { Dense } from '../../src/model/graph/graph.ts'
import { graphOf } from '../../src/model/graph/graph-of.ts'
import { denseTensors } from '../../src/model/graph/tensors.ts'
import { hardCrossEntropy, squaredError } from '../onnx/loss.ts'
import { ModelTape } from '../onnx/model-tape.ts'
import { summed } from '../onnx/parameters.ts'
import { Tape } from '../onnx/tape.ts'

/** Tensors of pre-training besides the encoder's own: the pooler, and a linear guess of the sentence from it. */
export function sentenceShapes(config: ModelConfig, targets: number): Map<string, number[]> {
  const { dim } = config
  const [weight, bias] = denseTensors(poolOf(config))
  return new Map([
    [weight, [dim, dim]],
    [bias, [dim]],
    ['sentence.weight', [targets, dim]],
    ['sentence.bias', [targets]],
  ])
}

/** The pooler that the same encoder has as a classifier. */
function poolOf(config: ModelConfig): Dense {
  const { head } = graphOf({ ...config, head: { kind: 'classify', labels: ['0', '1'] } })
  if (head.kind !== 'labels' || !head.pool) throw new Error(`A model of form "${config.arch}" has no pooler.`)
  return head.pool
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
  if (!config.tied) throw new Error('Masked-token training supports tied decoders only.')
  const t = new Tape()
  const extra = sentenceShapes(config, targets)
  const model = new ModelTape(t, config, [examples, length], () => summed(t), extra)
  const count = hiddenCount(examples, length)
  const rows = t.input('rows', [count], 'int64')
  const gold = t.input('targets', [count, 1], 'int64')
  const weights = t.input('weights', [count, 1])
  const about = t.input('sentence', [examples, targets])
  const aboutWeights = t.input('sentence weights', [examples, 1])
  const hidden = model.hidden()
  const logits = model.tokenLogits(hidden, rows)
  const guess = model.dense(model.pooled(hidden, poolOf(config)), {
    weight: 'sentence.weight',
    bias: 'sentence.bias',
    layout: 'out-in',
  })
  const loss = hardCrossEntropy(t, logits, gold, weights)
  const sentenceLoss = squaredError(t, guess, about, aboutWeights)
  t.backward()
  t.output('loss', loss)
  t.output('sentence loss', sentenceLoss)
  t.output('d embedded', t.gradient(model.embedded))
  // Other tables' gradients come from the embedded rows alone; the words' table is the output matrix, too.
  const scattered = new Set(model.graph.tables.filter(({ by }) => by !== 'token').map(({ tensor }) => tensor))
  for (const [name, value] of model.weights)
    if (!scattered.has(name)) t.output(`d ${name}`, t.gradient(value))
  return t.model()
}
