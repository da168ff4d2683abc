/** What a model's activations span, measured on text: public metadata from which `compile` chooses every ring. */
import { isEncoder, type ModelConfig, type Tensors } from '../../../../model/architectures/config.ts'
import type { EncoderInput } from '../../../../model/architectures/encoder.ts'
import type { Tap } from '../../../../model/architectures/float-model.ts'
import { floatModel } from '../../../../model/architectures/reference.ts'
import { calibrateEncoder } from './ranges-encoder.ts'

export type Interval = [low: number, high: number]

export interface LayerRanges {
  /** Largest |residual| before attention and before the feed-forward block (LayerNorm models: centred). */
  x: number
  /** Mean squares that the two norms divide by. */
  meanSquare1: Interval
  meanSquare2: Interval
  /** Largest normalised activation before attention. */
  normal1: number
  /** Largest |value|. */
  v: number
  /** Attention logits times log2(e). */
  score: Interval
  /** The lowest of all rows' largest ones, likewise; of models with a constant softmax cap. */
  peak?: number
  /** Largest |first feed-forward product| before its normalisation and bias. */
  raw: number
  /** Encoders: the same of the residual columns beside it. */
  rawResidual?: number
  /** Largest |activation input| and, in gated models, |up|. */
  gate: number
  up: number
}

export interface Ranges {
  layers: LayerRanges[]
  /** `logits`: the largest |logit|, for models whose head is private. */
  final: { x: number; meanSquare: Interval; normal: number; logits: number }
  /** An encoder's head: the largest |input of its activation|, and what the norm after it reads, where there is one. */
  pool?: { input: number; x: number; meanSquare: Interval; normal: number }
}

export const emptyLayer = (): LayerRanges => ({
  x: 0,
  meanSquare1: [Infinity, 0],
  meanSquare2: [Infinity, 0],
  normal1: 0,
  v: 0,
  score: [0, 0],
  raw: 0,
  gate: 0,
  up: 0,
})

export const largest = (values: Float64Array): number => values.reduce((m, v) => Math.max(m, Math.abs(v)), 0)

export function extend(interval: Interval, values: Float64Array, scale = 1): void {
  for (const v of values) {
    interval[0] = Math.min(interval[0], v * scale)
    interval[1] = Math.max(interval[1], v * scale)
  }
}

/** The lowest row maximum, where a constant cap makes it matter: each row's heads, `seen(row)` logits each. */
export function extendPeak(
  { heads, softmaxCap }: ModelConfig,
  r: LayerRanges,
  logits: Float64Array,
  seen: (row: number) => number,
): void {
  if (softmaxCap === undefined) return
  for (let at = 0, i = 0; at < logits.length; i++) {
    const n = seen(Math.floor(i / heads))
    const most = logits.subarray(at, at + n).reduce((m, v) => Math.max(m, v), -Infinity)
    r.peak = Math.min(r.peak ?? Infinity, most * Math.LOG2E)
    at += n
  }
}

/** Rows less their mean: what the residual stream of a LayerNorm model carries once centred weights write to it. */
export function centred(values: Float64Array, width: number): Float64Array {
  const out = values.slice()
  for (let r = 0; r < out.length; r += width) {
    let mean = 0
    for (let i = 0; i < width; i++) mean += out[r + i] / width
    for (let i = 0; i < width; i++) out[r + i] -= mean
  }
  return out
}

/** A text as token ids; an encoder's may come with token types. */
export type Sequence = number[] | EncoderInput

/**
 * Runs the float model over sequences of token ids and records what every activation spans. The biases of the first
 * feed-forward product are taken off before its raw range is measured. `look` sees every value as well.
 */
export function calibrate(
  config: ModelConfig,
  tensors: Tensors,
  sequences: Iterable<Sequence>,
  look?: Tap,
): Ranges {
  if (isEncoder(config)) return calibrateEncoder(config, tensors, sequences, look)
  const ranges: Ranges = {
    layers: Array.from({ length: config.layers }, emptyLayer),
    final: { x: 0, meanSquare: [Infinity, 0], normal: 0, logits: 0 },
  }
  const layerNorm = config.arch === 'gpt2'
  const residual = (values: Float64Array): number => largest(layerNorm ? centred(values, config.dim) : values)
  let meanSquare2 = new Float64Array()
  const raw = (r: LayerRanges, values: Float64Array, bias?: Float64Array): void => {
    const width = values.length / meanSquare2.length
    for (let i = 0; i < values.length; i++) {
      const rms = Math.sqrt(meanSquare2[Math.floor(i / width)] + config.eps)
      r.raw = Math.max(r.raw, Math.abs(values[i] - (bias?.[i % width] ?? 0)) * rms)
    }
  }
  const tap: Tap = (name, layer, values) => {
    look?.(name, layer, values)
    const r = ranges.layers[layer]
    if (name === 'x' || name === 'x2') r.x = Math.max(r.x, residual(values))
    else if (name === 'v1') extend(r.meanSquare1, values)
    else if (name === 'v2') {
      extend(r.meanSquare2, values)
      meanSquare2 = values.slice()
    } else if (name === 'n1') r.normal1 = Math.max(r.normal1, largest(values))
    else if (name === 'v') r.v = Math.max(r.v, largest(values))
    else if (name === 's') {
      extend(r.score, values, Math.LOG2E)
      extendPeak(config, r, values, (row) => row + 1)
    } else if (name === 'g') {
      r.gate = Math.max(r.gate, largest(values))
      raw(r, values, layerNorm ? feedForwardBias(config, tensors, layer) : undefined)
    } else if (name === 'u') {
      r.up = Math.max(r.up, largest(values))
      raw(r, values)
    } else if (name === 'xf') ranges.final.x = Math.max(ranges.final.x, residual(values))
    else if (name === 'vf') extend(ranges.final.meanSquare, values)
    else if (name === 'nf') ranges.final.normal = Math.max(ranges.final.normal, largest(values))
  }
  const model = floatModel(config, tensors, tap)
  for (const sequence of sequences) {
    const ids = Array.isArray(sequence) ? sequence : sequence.ids
    model.rewind(0)
    ranges.final.logits = Math.max(ranges.final.logits, largest(model.forward(ids, 'all')))
  }
  return ranges
}

/** LayerNorm's beta times W1 plus b1: what the plan adds after the normalisation. */
export function feedForwardBias(config: ModelConfig, tensors: Tensors, layer: number): Float64Array {
  const get = (name: string): Float32Array => tensors.get(`h.${layer}.${name}`)?.data ?? new Float32Array()
  return foldedBias(get('ln_2.bias'), get('mlp.c_fc.weight'), get('mlp.c_fc.bias'), config.ff)
}

/** beta W + b for W [in, out]. */
export function foldedBias(beta: Float32Array, w: Float32Array, b: Float32Array, n: number): Float64Array {
  const out = Float64Array.from(b)
  for (let i = 0; i < beta.length; i++) for (let j = 0; j < n; j++) out[j] += beta[i] * w[i * n + j]
  return out
}
