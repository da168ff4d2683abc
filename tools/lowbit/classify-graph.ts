import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { graphOf } from '../../src/model/graph/graph-of.ts'
import { tensorShapes } from '../../src/model/graph/tensors.ts'
import { softCrossEntropy, squaredError } from '../onnx/loss.ts'
import { ModelTape } from '../onnx/model-tape.ts'
import { unitNorm } from '../onnx/norm.ts'
import { summed } from '../onnx/parameters.ts'
import { Tape } from '../onnx/tape.ts'
import { LowbitTape } from './lowbit-tape.ts'
import type { Precision } from './precision.ts'

/** Embedding tables, whose gradients are scattered outside of the graph. */
export const tableNames = (config: ModelConfig): string[] =>
  graphOf(config).tables.map(({ tensor }) => tensor)

/** What a lowbit classifier makes of texts: `logits`, rows at unit size `hidden`, and what `measure` says. */
export function predictGraph(config: ModelConfig, size: readonly [number, number], p: Precision): Uint8Array {
  const t = new Tape()
  const model = new LowbitTape(t, config, size, p)
  const rows = model.hidden()
  t.output('logits', model.labelLogits(rows))
  t.output('hidden', model.unit(rows))
  model.measure()
  return t.model()
}

/** What the base makes of such texts: logits and hidden states. */
export function teacherGraph(config: ModelConfig, size: readonly [number, number]): Uint8Array {
  const t = new Tape()
  const model = new ModelTape(t, config, [...size], () => summed(t))
  const rows = model.hidden()
  t.output('logits', model.labelLogits(rows))
  t.output('hidden', unitNorm(t, rows, 1e-6))
  return t.model()
}

/**
 * A training step: besides the model's inputs it reads `targets` `[examples, labels]` and `weights` `[examples, 1]`, and
 * `rows` `[examples * length, dim]` with `row weights`, what the teacher's last rows are. Outputs: `losses`
 * `[examples, 1]`, `d embedded`, and `d NAME` of the private tensors.
 */
export function trainGraph(config: ModelConfig, size: readonly [number, number], p: Precision): Uint8Array {
  if (config.head?.kind !== 'classify') throw new Error('Training needs a classification head.')
  const [examples, length] = size
  const t = new Tape()
  const model = new LowbitTape(t, config, size, p)
  const rows = model.hidden()
  const labels = config.head.labels.length
  const loss = softCrossEntropy(
    t,
    model.labelLogits(rows),
    t.input('targets', [examples, labels]),
    t.input('weights', [examples, 1]),
  )
  squaredError(
    t,
    model.unit(rows),
    t.input('rows', [examples * length, config.dim]),
    t.input('row weights', [examples * length, 1]),
  )
  t.backward()
  t.output('losses', loss)
  t.output('d embedded', t.gradient(model.embedded))
  const tables = tableNames(config)
  for (const name of tensorShapes(config).keys())
    if (!tables.includes(name)) t.output(`d ${name}`, t.gradient(model.weights.get(name)!))
  return t.model()
}
