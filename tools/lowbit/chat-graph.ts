import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { tensorShapes } from '../../src/model/graph/tensors.ts'
import { hardCrossEntropy, squaredError } from '../onnx/loss.ts'
import { ModelTape } from '../onnx/model-tape.ts'
import { unitNorm } from '../onnx/norm.ts'
import { summed } from '../onnx/parameters.ts'
import { Tape } from '../onnx/tape.ts'
import { LowbitTape } from './lowbit-tape.ts'
import type { Precision } from './precision.ts'

/** The base's last rows at unit size, `hidden`; a gain of its last norm is in the student's embedding. */
export function teacherGraph(config: ModelConfig, size: readonly [number, number]): Uint8Array {
  const t = new Tape()
  const model = new ModelTape(t, config, [...size], () => summed(t))
  t.output('hidden', unitNorm(t, model.stream(), config.eps))
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

/** A training step: besides, it reads the teacher's `rows` `[rows * length, dim]` and `row weights`, and gives gradients. */
export function trainGraph(config: ModelConfig, size: readonly [number, number], p: Precision): Uint8Array {
  const { t, model, losses, hidden } = predicted(config, size, p)
  const n = size[0] * size[1]
  squaredError(t, model.unit(hidden), t.input('rows', [n, config.dim]), t.input('row weights', [n, 1]))
  t.backward()
  t.output('losses', losses)
  t.output('d embedded', t.gradient(model.embedded))
  for (const name of tensorShapes(config).keys()) t.output(`d ${name}`, t.gradient(model.weights.get(name)!))
  return t.model()
}

function predicted(config: ModelConfig, size: readonly [number, number], p: Precision) {
  const t = new Tape()
  const model = new LowbitTape(t, config, size, p)
  const hidden = model.hidden()
  const n = size[0] * size[1]
  const weights = t.constant(new Float32Array(n).fill(1 / n), [n, 1])
  const losses = hardCrossEntropy(t, model.tokenLogits(hidden), t.input('targets', [n, 1], 'int64'), weights)
  return { t, model, losses, hidden }
}
