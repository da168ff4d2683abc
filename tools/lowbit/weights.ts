import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { formOf } from './lowbit-tape.ts'
import { inputBits, type PrivateMatrix, privateMatrices } from './matrices.ts'
import { type Precision, shiftsOf } from './precision.ts'

/** Largest integer scale of a column: signs times at most this, or odd codes up to 15 times at most this. */
const mostScale = { 1: 15, 4: 4 } as const
/** Classifiers have whole numbers up to this: any int8 product of them is exact on every processor. */
const mostHead = 63

/**
 * A model's tensors as integers, in place of masters in floating point: of matrices, signs (of a weight less its column's
 * mean; Rastegari et al., 2016) or four-bit codes, times an integer scale of the column; of biases, what is added before
 * bits are dropped. Public tables stay as they are. With 32 bits, masters in the same units, unrounded.
 */
export function integers(config: ModelConfig, masters: Tensors, p: Precision): Tensors {
  const out: Tensors = new Map(masters)
  const shifts = shiftsOf(p, formOf(config))
  for (const matrix of privateMatrices(config)) {
    const factor = stepOf(matrix, masters) * 2 ** p.weights[matrix.kind]
    const { shape, data } = masters.get(matrix.weight)!
    const scaled = times(data, factor)
    out.set(matrix.weight, {
      shape,
      data: p.weightBits === 32 ? scaled : rounded(matrix, scaled, shape[1], p),
    })
    if (matrix.bias === undefined) continue
    const { shape: length, data: bias } = masters.get(matrix.bias)!
    const by = biasStep(matrix, masters) * 2 ** (p.weights[matrix.kind] + inputBits(matrix.kind, p, shifts))
    out.set(matrix.bias, {
      shape: length,
      data: p.weightBits === 32 ? times(bias, by) : times(bias, by).map(Math.round),
    })
  }
  return out
}

/** Gradients of the masters and of the logarithms of the steps, by those of the integers; straight through the rounding. */
export function masterGradients(
  config: ModelConfig,
  masters: Tensors,
  ints: Tensors,
  gradients: ReadonlyMap<string, Float32Array>,
  p: Precision,
): Map<string, Float32Array> {
  const out = new Map(gradients)
  const shifts = shiftsOf(p, formOf(config))
  for (const matrix of privateMatrices(config)) {
    const parts: Array<[string, number]> = [
      [matrix.weight, stepOf(matrix, masters) * 2 ** p.weights[matrix.kind]],
    ]
    const by = p.weights[matrix.kind] + inputBits(matrix.kind, p, shifts)
    if (matrix.bias) parts.push([matrix.bias, biasStep(matrix, masters) * 2 ** by])
    for (const [name, factor] of parts) {
      const g = gradients.get(name)!
      const values = ints.get(name)!.data
      out.set(name, times(g, factor))
      // A bias behind the values that a step divides is in the output's units, which no step changes.
      if (name === matrix.bias && matrix.kind === 'out') continue
      let along = 0
      for (let i = 0; i < g.length; i++) along += g[i] * values[i]
      for (const [step, power] of matrix.steps) {
        const sum = out.get(step) ?? new Float32Array(1)
        sum[0] += power * along * stepScale(values.length, p)
        out.set(step, sum)
      }
    }
  }
  return out
}

/** LSQ's scale of a step's gradient, 1 / sqrt(n Qp) (Esser et al., 2020). */
const stepScale = (n: number, p: Precision): number => 1 / Math.sqrt(n * (2 ** (p.x + 2) - 1))

const stepOf = ({ steps }: PrivateMatrix, masters: Tensors): number =>
  Math.exp(steps.reduce((sum, [name, power]) => sum + power * masters.get(name)!.data[0], 0))

const biasStep = (matrix: PrivateMatrix, masters: Tensors): number =>
  matrix.kind === 'out' ? 1 : stepOf(matrix, masters)

function rounded({ kind }: PrivateMatrix, w: Float32Array, inputs: number, p: Precision): Float32Array {
  if (kind === 'head') return w.map((x) => Math.max(-mostHead, Math.min(mostHead, Math.round(x))))
  const out = new Float32Array(w.length)
  for (let at = 0; at < w.length; at += inputs) {
    let mean = 0
    for (let i = 0; i < inputs; i++) mean += w[at + i] / inputs
    let size = 0
    for (let i = 0; i < inputs; i++) size += Math.abs(w[at + i] - mean) / inputs
    if (p.weightBits === 1) {
      const scale = whole(size, mostScale[1])
      for (let i = 0; i < inputs; i++) out[at + i] = w[at + i] >= mean ? scale : -scale
      continue
    }
    // Half a step of the code, which has odd numbers: a step of a third of the mean size.
    const scale = whole(0.165 * size, mostScale[4])
    for (let i = 0; i < inputs; i++) {
      const code = Math.floor((w[at + i] - mean) / (2 * scale))
      out[at + i] = (2 * Math.max(-8, Math.min(7, code)) + 1) * scale
    }
  }
  return out
}

/** A loop: `map` takes ten times as long, at every step of a training. */
function times(data: Float32Array, factor: number): Float32Array {
  const out = new Float32Array(data.length)
  for (let i = 0; i < data.length; i++) out[i] = data[i] * factor
  return out
}

const whole = (x: number, most: number): number => Math.max(1, Math.min(most, Math.round(x)))
