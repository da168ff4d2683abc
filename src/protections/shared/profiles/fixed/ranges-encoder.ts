/** What an encoder's activations span. */
import type { ModelConfig, Tensors } from '../../../../model/architectures/config.ts'
import { encoderModel } from '../../../../model/architectures/encoder.ts'
import type { Tap } from '../../../../model/architectures/float-model.ts'
import { lowerMatrix } from './lower.ts'
import { centred, emptyLayer, extend, extendPeak, largest, type Ranges, type Sequence } from './ranges.ts'

/**
 * Runs the float model over texts. Padding needs none of its own: padded rows are copies of the first one, and no row
 * attends to them.
 */
export function calibrateEncoder(
  config: ModelConfig,
  tensors: Tensors,
  sequences: Iterable<Sequence>,
  look?: Tap,
): Ranges {
  const { dim, eps, layers } = config
  const ranges: Ranges = {
    layers: Array.from({ length: layers }, emptyLayer),
    final: { x: 0, meanSquare: [Infinity, 0], normal: 0, logits: 0 },
  }
  const { final } = ranges
  const biases = ranges.layers.map((_, layer) => lowerMatrix(config, tensors, layer, 'up'))
  const pool = { input: 0, x: 0, meanSquare: [Infinity, 0] as [number, number], normal: 0 }
  let roots = new Float64Array()
  let rows = 0
  /** Largest |value - bias| times the root mean square that the norm before it divided by. */
  const raw = (values: Float64Array, bias: Float64Array | undefined): number => {
    const width = values.length / roots.length
    let most = 0
    for (let i = 0; i < values.length; i++)
      most = Math.max(most, Math.abs(values[i] - (bias?.[i % width] ?? 0)) * roots[Math.floor(i / width)])
    return most
  }
  const tap: Tap = (name, layer, values) => {
    look?.(name, layer, values)
    const r = ranges.layers[layer]
    if (name === 'x' || name === 'x2' || name === 'r1') r.x = Math.max(r.x, largest(centred(values, dim)))
    else if (name === 'v1') extend(r.meanSquare1, values)
    else if (name === 'n1') r.normal1 = Math.max(r.normal1, largest(values))
    else if (name === 'v') r.v = Math.max(r.v, largest(values))
    else if (name === 's') {
      extend(r.score, values, Math.LOG2E)
      extendPeak(config, r, values, () => values.length / (rows * config.heads))
    } else if (name === 'v2') {
      extend(r.meanSquare2, values)
      roots = values.map((v) => Math.sqrt(v + eps))
    } else if (name === 'r2') {
      const residual = centred(values, dim)
      r.x = Math.max(r.x, largest(residual))
      r.rawResidual = Math.max(r.rawResidual ?? 0, raw(residual, biases[layer].residual?.data))
    } else if (name === 'g') {
      r.gate = Math.max(r.gate, largest(values))
      r.raw = Math.max(r.raw, raw(values, biases[layer].bias?.data))
    } else if (name === 'xf') final.x = Math.max(final.x, largest(centred(values, dim)))
    else if (name === 'vf') extend(final.meanSquare, values)
    else if (name === 'nf') final.normal = Math.max(final.normal, largest(values))
    else if (name === 'p') pool.input = Math.max(pool.input, largest(values))
    else if (name === 'xp') pool.x = Math.max(pool.x, largest(centred(values, dim)))
    else if (name === 'vp') extend(pool.meanSquare, values)
    else if (name === 'np') pool.normal = Math.max(pool.normal, largest(values))
  }
  const model = encoderModel(config, tensors, tap)
  for (const sequence of sequences) {
    const text = Array.isArray(sequence) ? { ids: sequence } : sequence
    rows = text.ids.length
    const { logits, hidden } = model.forward(text)
    final.logits = Math.max(final.logits, largest(logits ?? hidden))
  }
  if (config.head) {
    ranges.pool = pool
    if (config.head.kind === 'classify') pool.meanSquare = [0, 0]
  }
  return ranges
}
