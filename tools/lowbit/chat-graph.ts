import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { tensorShapes } from '../../src/model/graph/tensors.ts'
import { hardCrossEntropy, softCrossEntropy, squaredError } from '../onnx/loss.ts'
import { ModelTape } from '../onnx/model-tape.ts'
import { unitNorm } from '../onnx/norm.ts'
import { summed } from '../onnx/parameters.ts'
import { Tape, type Value } from '../onnx/tape.ts'
import { LowbitTape } from './lowbit-tape.ts'
import type { Precision } from './precision.ts'

/**
 * The base's last rows at unit size, `hidden` (a gain of its last norm is in the student's embedding), and what it holds
 * likely to come next, `probabilities` `[rows * length, vocab]`.
 */
export function teacherGraph(config: ModelConfig, size: readonly [number, number]): Uint8Array {
  const t = new Tape()
  const model = new ModelTape(t, config, [...size], () => summed(t))
  t.output('hidden', unitNorm(t, model.stream(), config.eps))
  const logits = model.tokenLogits(model.hidden())
  t.output('probabilities', t.op('Softmax', [logits], logits.shape, { axis: -1 }))
  return t.model()
}

/**
 * A lowbit chat model on windows of text. It reads `ids` `[rows * length]` and `targets` `[rows * length, 1]`; `losses` are
 * nats for each token.
 */
export function predictGraph(config: ModelConfig, size: readonly [number, number], p: Precision): Uint8Array {
  const { t, model, losses } = predicted(config, size, p)
  t.output('losses', losses)
  model.measure()
  return t.model()
}

/**
 * A training step: besides, it reads the teacher's `rows` `[rows * length, dim]` and `row weights`, and its `probabilities`,
 * which are the part `soft` of what is to be predicted; it gives gradients.
 */
export function trainGraph(
  config: ModelConfig,
  size: readonly [number, number],
  p: Precision,
  soft: number,
): Uint8Array {
  const { t, model, losses, hidden, logits } = predicted(config, size, p, 1 - soft)
  const n = size[0] * size[1]
  softCrossEntropy(t, logits, t.input('probabilities', [n, config.vocab]), evenly(t, n, soft))
  squaredError(t, model.unit(hidden), t.input('rows', [n, config.dim]), t.input('row weights', [n, 1]))
  t.backward()
  t.output('losses', losses)
  t.output('d embedded', t.gradient(model.embedded))
  for (const name of tensorShapes(config).keys()) t.output(`d ${name}`, t.gradient(model.weights.get(name)!))
  return t.model()
}

function predicted(config: ModelConfig, size: readonly [number, number], p: Precision, part = 1) {
  const t = new Tape()
  const model = new LowbitTape(t, config, size, p)
  const hidden = model.hidden()
  const n = size[0] * size[1]
  const logits = model.tokenLogits(hidden)
  const losses = hardCrossEntropy(t, logits, t.input('targets', [n, 1], 'int64'), evenly(t, n, part))
  return { t, model, losses, hidden, logits }
}

/** Weights of n rows that are `all` together. */
const evenly = (t: Tape, n: number, all: number): Value =>
  t.constant(new Float32Array(n).fill(all / n), [n, 1])
