/**
 * One canonical form for every architecture: gains folded into the next matrix, LayerNorm's centring folded into whatever
 * writes to the residual stream (so that it is RMSNorm), attention's scale and log2(e) folded into the query. What is left
 * is `x·W` with row-major W [in, out], and biases.
 *
 * Where skip connections carry a norm's result on (BERT), that result, gain * n + shift, is `dim` more columns of the
 * matrix behind the norm.
 */
import type { ModelConfig, TensorLookup } from '../../../../model/architectures/config.ts'
import { type Dense, learned, type ModelGraph } from '../../../../model/graph/graph.ts'
import { graphOf } from '../../../../model/graph/graph-of.ts'
import { WeightTable } from '../../../../model/graph/weights.ts'
import type { Floats } from '../../../../model/math.ts'
import { scoreScale } from '../../../../model/score-scale.ts'
import { centreColumns, centreRows } from './centre.ts'
import { type MatrixRole, matrixName, matrixParts, residualBias } from './matrices.ts'

/** A folded matrix, named `layer.role`. */
export interface LoweredMatrix {
  readonly name: string
  readonly k: number
  readonly n: number
  readonly data: Float64Array
}

export interface LoweredBias {
  readonly name: string
  readonly data: Float64Array
}

/** A folded matrix with its bias rows. */
export interface Lowered {
  readonly matrix: LoweredMatrix
  readonly bias?: LoweredBias
  /** The bias of residual columns that come at another scale than the rest: those of the first feed-forward product. */
  readonly residual?: LoweredBias
}

/** One folded matrix with its biases. Throws when a tensor is missing. */
export function lowerMatrix(
  config: ModelConfig,
  tensors: TensorLookup,
  layer: number,
  role: MatrixRole,
): Lowered {
  const graph = graphOf(config)
  const weights = new WeightTable(config, tensors)
  const name = matrixName(layer, role)
  const { dim } = config
  const { norm, dense, ownNorms = [] } = matrixParts(config, layer, role)
  if (role === 'embed') {
    const scaled = graph.tables.map(({ tensor, scale = 1 }) =>
      scale === 1
        ? weights.tensor(tensor)
        : Float64Array.from(weights.tensor(tensor), (value) => scale * value),
    )
    const data = joined(scaled)
    return { matrix: { name, k: data.length / dim, n: dim, data: centredFor(graph, data, dim) } }
  }
  const own = norm && norm.kind !== 'none' ? learned(norm) : undefined
  const folding = own && {
    gain: weights.gain(own),
    shift: own.kind === 'layer' && own.shift !== undefined ? weights.tensor(own.shift) : undefined,
  }
  if (folding && dense.length === 0) {
    const bias = folding.shift && { name, data: Float64Array.from(folding.shift) }
    return { matrix: { name, k: dim, n: dim, data: diagonal(folding.gain) }, bias }
  }
  const partOf = (d: Dense, scale: number, gain?: Floats): Part => ({
    weight: weights.matrix(d),
    bias: weights.bias(d),
    outputs: d.outputs,
    scaleOf: (output) => scale * (gain?.[output % gain.length] ?? 1),
  })
  const scaleOf = (i: number): number => (role === 'qkv' && i === 0 ? Math.LOG2E * scoreScale(config) : 1)
  const parts = dense.map((d, i) => partOf(d, ownNorms.length > 0 ? 1 : scaleOf(i)))
  ownNorms.forEach((n, i) => {
    parts.push(partOf(dense[i], scaleOf(i), weights.gain(n)))
  })
  // A norm's output has a mean of zero, so the columns may have one, too: then what rounding adds to all of a row alike is
  // not multiplied. It matters where the stream itself passes through them.
  const isCarried = graph.skip === 'normalised'
  const all = folded(dense[0].inputs, parts, folding, isCarried)
  if (role === 'out' || role === 'down') {
    centredFor(graph, all.data, dim)
    if (all.bias) centredFor(graph, all.bias, dim)
  }
  if (isCarried && folding?.shift && (role === 'qkv' || role === 'up')) {
    const columns = centreColumns(centreRows(diagonal(folding.gain), dim), dim)
    return withResidual(layer, role, all, columns, centreRows(Float64Array.from(folding.shift), dim))
  }
  // Rows that come without a norm, and whose mean need not be zero, are themselves what is carried on.
  if (isCarried && role === 'qkv') {
    const columns = centreRows(diagonal(new Float32Array(dim).fill(1)), dim)
    return withResidual(layer, role, all, columns, new Float64Array(dim))
  }
  return { matrix: { name, k: dense[0].inputs, n: all.n, data: all.data }, bias: biasOf(name, all.bias) }
}

const biasOf = (name: string, data?: Float64Array): LoweredBias | undefined => data && { name, data }

/** What writes to the stream of a LayerNorm model writes rows of mean zero. */
const centredFor = ({ norm }: ModelGraph, data: Float64Array, dim: number): Float64Array =>
  norm === 'layer' ? centreRows(data, dim) : data

interface Folded {
  readonly n: number
  readonly data: Float64Array
  readonly bias?: Float64Array
}

/** A dense layer [out, in], with a factor for each output. */
interface Part extends Pick<Dense, 'outputs'> {
  readonly weight: Float32Array
  readonly bias?: Float32Array
  scaleOf(output: number): number
}

/** (gain n + shift) W' + b over dense layers side by side: row-major [inputs, n] and a bias row, where there are biases. */
function folded(
  inputs: number,
  parts: readonly Part[],
  norm: { gain: Floats; shift?: Float32Array } | undefined,
  centresColumns: boolean,
): Folded {
  const n = parts.reduce((sum, { outputs }) => sum + outputs, 0)
  const data = new Float64Array(inputs * n)
  const bias = new Float64Array(n)
  let at = 0
  for (const part of parts)
    for (let o = 0; o < part.outputs; o++, at++) {
      let sum = part.bias?.[o] ?? 0
      const scale = part.scaleOf(o)
      for (let i = 0; i < inputs; i++) {
        const w = part.weight[o * inputs + i]
        data[i * n + at] = w * scale * (norm?.gain[i] ?? 1)
        if (norm?.shift) sum += w * norm.shift[i]
      }
      bias[at] = sum * scale
    }
  if (norm && centresColumns) centreColumns(data, n)
  const hasBias = norm?.shift !== undefined || parts.some((part) => part.bias)
  return { n, data, bias: hasBias ? bias : undefined }
}

/** A matrix with the residual columns [dim x dim] beside it, which carry gain * n + shift on; `rest` is their bias. */
function withResidual(
  layer: number,
  role: 'qkv' | 'up',
  own: Folded,
  columns: Float64Array,
  rest: Float64Array,
): Lowered {
  const name = matrixName(layer, role)
  const dim = rest.length
  const data = beside(own.data, own.n, columns, dim)
  const matrix = { name, k: dim, n: own.n + dim, data }
  const bias = own.bias ?? new Float64Array(own.n)
  if (role === 'qkv') return { matrix, bias: { name, data: Float64Array.of(...bias, ...rest) } }
  // The two parts of the first feed-forward product get their biases at scales of their own.
  return { matrix, bias: { name, data: bias }, residual: { name: residualBias(name), data: rest } }
}

function joined(tables: readonly Floats[]): Float64Array {
  const data = new Float64Array(tables.reduce((n, { length }) => n + length, 0))
  let at = 0
  for (const table of tables) {
    data.set(table, at)
    at += table.length
  }
  return data
}

/** `more` columns [rows x width] to the right of [rows x n]. */
function beside(data: Float64Array, n: number, more: Float64Array, width: number): Float64Array {
  const rows = data.length / n
  const out = new Float64Array(rows * (n + width))
  for (let r = 0; r < rows; r++) {
    out.set(data.subarray(r * n, (r + 1) * n), r * (n + width))
    out.set(more.subarray(r * width, (r + 1) * width), r * (n + width) + n)
  }
  return out
}

/** diag(gain). */
function diagonal(gain: Floats): Float64Array {
  const out = new Float64Array(gain.length ** 2)
  for (let i = 0; i < gain.length; i++) out[i * gain.length + i] = gain[i]
  return out
}
