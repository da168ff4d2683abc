/**
 * BERT and RoBERTa in the decoder's form. A norm that follows a block is the next block's first norm, its gain folded
 * into the next matrix; what goes on as the residual stream, gain * n + bias, is `dim` more columns of that matrix. The
 * stream is centred throughout, so that LayerNorm is RMSNorm.
 */
import { headDim, type ModelConfig } from '../../../../model/architectures/config.ts'
import { headNames } from '../../../../model/architectures/encoder.ts'
import { centre, type Lowered, type MatrixRole, matrixName, residualBias } from './lower.ts'

/** The tensors of a folded matrix: the norm before it first, where one is folded in. */
export function encoderSources(config: ModelConfig, layer: number, role: MatrixRole): string[] {
  const { arch, layers, tied } = config
  const at = (l: number): string => `${arch}.encoder.layer.${l}.`
  const pair = (name: string): string[] => [`${name}.weight`, `${name}.bias`]
  const before = (l: number): string[] =>
    pair(l === 0 ? `${arch}.embeddings.LayerNorm` : `${at(l - 1)}output.LayerNorm`)
  const names = headNames(config)
  if (role === 'embed')
    return ['word', 'position', 'token_type'].map((name) => `${arch}.embeddings.${name}_embeddings.weight`)
  if (role === 'qkv')
    return [
      ...before(layer),
      ...['query', 'key', 'value'].flatMap((n) => pair(`${at(layer)}attention.self.${n}`)),
    ]
  if (role === 'out') return pair(`${at(layer)}attention.output.dense`)
  if (role === 'up')
    return [...pair(`${at(layer)}attention.output.LayerNorm`), ...pair(`${at(layer)}intermediate.dense`)]
  if (role === 'down') return pair(`${at(layer)}output.dense`)
  const isClassifier = config.head?.kind === 'classify'
  if (role === 'pool') return [...before(layers), ...pair(isClassifier ? names.pool : names.transform)]
  if (isClassifier) return pair(names.classifier)
  if (!config.head) return before(layers)
  const table = tied ? `${arch}.embeddings.word_embeddings.weight` : names.decoder
  return [...pair(names.transformNorm), table, names.decoderBias]
}

/** One dense layer [out, in], with a factor. */
interface Dense {
  readonly weight: Float32Array
  readonly bias: Float32Array
  readonly scale?: number
}

/**
 * (gain n + shift) W' + b over dense layers side by side: row-major [inputs, n] and a bias row. A norm's output has a mean
 * of zero, so the columns may have one, too: then what rounding adds to all of a row alike is not multiplied.
 */
function folded(
  inputs: number,
  parts: readonly Dense[],
  norm?: { gain: Float32Array; shift: Float32Array },
): { n: number; data: Float64Array; bias: Float64Array } {
  const n = parts.reduce((sum, { bias }) => sum + bias.length, 0)
  const data = new Float64Array(inputs * n)
  const out = new Float64Array(n)
  let at = 0
  for (const { weight, bias, scale = 1 } of parts)
    for (let o = 0; o < bias.length; o++, at++) {
      let sum = bias[o]
      let mean = 0
      for (let i = 0; i < inputs; i++) {
        const w = weight[o * inputs + i]
        data[i * n + at] = w * scale * (norm?.gain[i] ?? 1)
        if (norm) {
          sum += w * norm.shift[i]
          mean += data[i * n + at] / inputs
        }
      }
      out[at] = sum * scale
      if (norm) for (let i = 0; i < inputs; i++) data[i * n + at] -= mean
    }
  return { n, data, bias: out }
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
function diagonal(gain: Float32Array): Float64Array {
  const out = new Float64Array(gain.length ** 2)
  for (let i = 0; i < gain.length; i++) out[i * gain.length + i] = gain[i]
  return out
}

/** Takes the mean off every column of [rows x n]. */
function centreColumns(data: Float64Array, n: number): Float64Array {
  const rows = data.length / n
  for (let j = 0; j < n; j++) {
    let mean = 0
    for (let r = 0; r < rows; r++) mean += data[r * n + j] / rows
    for (let r = 0; r < rows; r++) data[r * n + j] -= mean
  }
  return data
}

/** Folds the tensors that `encoderSources` lists, in its order. */
export function lowerEncoder(
  config: ModelConfig,
  t: readonly Float32Array[],
  layer: number,
  role: MatrixRole,
): Lowered {
  const name = matrixName(layer, role)
  const { dim, ff } = config
  if (role === 'embed') {
    const data = new Float64Array(t.reduce((n, { length }) => n + length, 0))
    let at = 0
    for (const table of t) {
      data.set(table, at)
      at += table.length
    }
    return { matrix: { name, k: data.length / dim, n: dim, data: centre(data, dim) } }
  }
  if (role === 'out' || role === 'down') {
    const k = role === 'out' ? dim : ff
    const { data, bias } = folded(k, [{ weight: t[0], bias: t[1] }])
    return { matrix: { name, k, n: dim, data: centre(data, dim) }, bias: { name, data: centre(bias, dim) } }
  }
  if (role === 'head' && !config.head)
    return {
      matrix: { name, k: dim, n: dim, data: diagonal(t[0]) },
      bias: { name, data: Float64Array.from(t[1]) },
    }
  const isNormed = !(role === 'head' && config.head?.kind === 'classify')
  const rest = isNormed ? t.slice(2) : t
  const parts: Dense[] = []
  for (let i = 0; i + 1 < rest.length; i += 2) parts.push({ weight: rest[i], bias: rest[i + 1] })
  if (role === 'qkv') parts[0] = { ...parts[0], scale: Math.LOG2E / Math.sqrt(headDim(config)) }
  const own = folded(dim, parts, isNormed ? { gain: t[0], shift: t[1] } : undefined)
  if (role !== 'qkv' && role !== 'up') return lowered(name, dim, own)
  const residual = centreColumns(centre(diagonal(t[0]), dim), dim)
  const shift = centre(Float64Array.from(t[1]), dim)
  const data = beside(own.data, own.n, residual, dim)
  const matrix = { name, k: dim, n: own.n + dim, data }
  if (role === 'qkv') return { matrix, bias: { name, data: Float64Array.of(...own.bias, ...shift) } }
  // The two parts of the first feed-forward product get their biases at scales of their own.
  return { matrix, bias: { name, data: own.bias }, residual: { name: residualBias(name), data: shift } }
}

const lowered = (
  name: string,
  k: number,
  { n, data, bias }: { n: number; data: Float64Array; bias: Float64Array },
): Lowered => ({ matrix: { name, k, n, data }, bias: { name, data: bias } })
