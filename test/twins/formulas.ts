/** What the twins share: vectors as plain arrays, in float64. They know nothing of the product's code. */
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { erf } from '../../src/model/math.ts'

export type Vector = number[]

/** Weights in either precision. */
export type Values = Float32Array | Float64Array

/** Tensors by their names in Hugging Face's files. */
export type TwinTensors = ReadonlyMap<string, { readonly data: Values }>

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

export const plus = (...parts: Vector[]): Vector =>
  parts[0].map((_, i) => parts.reduce((sum, part) => sum + part[i], 0))

/** Row i of a table with rows as wide as `width`. */
export const rowOf = (table: Values, width: number, i: number): Vector => [
  ...table.subarray(i * width, (i + 1) * width),
]

/** W x of a matrix whose rows are outputs. */
export const times = (w: Values, x: Vector): Vector =>
  Array.from({ length: w.length / x.length }, (_, o) => dot(w.subarray(o * x.length, (o + 1) * x.length), x))

/** What a low-rank adapter adds to a dense layer: (alpha / rank) B A x. */
export function adapted(
  { lora }: ModelConfig,
  tensors: TwinTensors,
  name: string,
  x: Vector,
  y: Vector,
): Vector {
  const [a, b] = ['A', 'B'].map((half) => tensors.get(`${name}.lora_${half}.weight`)?.data)
  if (!lora || !a || !b) return y
  const more = times(b, times(a, x))
  return y.map((value, i) => value + (lora.alpha / lora.rank) * more[i])
}

/** (x - mean) / sqrt(variance + eps) * gain + shift. */
export function layerNorm(x: Vector, gain: Values, shift: Values, eps: number): Vector {
  const mean = x.reduce((a, b) => a + b) / x.length
  const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length
  return x.map((value, i) => ((value - mean) / Math.sqrt(variance + eps)) * gain[i] + shift[i])
}

export const activation: Record<ModelConfig['activation'], (x: number) => number> = {
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  gelu_tanh: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
  gelu_sprint: (x) => {
    const a = Math.abs(x)
    if (a > 2.7) return Math.max(0, x)
    return 0.02085 * a ** 4 - 0.18353 * a ** 3 + 0.54106 * a ** 2 - 0.03798 * a + 0.00162 + x / 2
  },
  relu: (x) => (x > 0 ? x : 0),
  linear: (x) => x,
}

/**
 * One query over keys and values, head by head: soft-capped logits, then a softmax, or SPRINT's power with a constant cap.
 * Heads of keys and values may be fewer than those of the query.
 */
export function attend(c: ModelConfig, q: Vector, keys: Vector[], values: Vector[]): Vector {
  const width = c.headDim ?? c.dim / c.heads
  return q.map((_, j) => {
    const head = Math.floor(j / width)
    const from = Math.floor(head / (c.heads / c.kvHeads)) * width
    const weights = keys.map((k) => {
      const logit = dot(q.slice(head * width, (head + 1) * width), k.slice(from, from + width)) / width ** 0.5
      const x = c.softcap ? c.softcap * Math.tanh(logit / c.softcap) : logit
      return c.softmaxCap ? Math.max(0, 1 + (x - c.softmaxCap) / 256) ** 256 : Math.exp(x)
    })
    const total = weights.reduce((a, b) => a + b)
    return weights.reduce((sum, w, p) => sum + (w / total) * values[p][from + (j % width)], 0)
  })
}

/** x over the root of its mean square. */
export function unit(x: Vector, eps: number): Vector {
  const meanSquare = x.reduce((sum, v) => sum + v * v, 0) / x.length
  return x.map((v) => v / Math.sqrt(meanSquare + eps))
}

/** One query whose weights are powers of two of q.k, less what `fall` says for a head and a position. */
export function octaveAttend(
  c: ModelConfig,
  q: Vector,
  keys: Vector[],
  values: Vector[],
  fall: (head: number, position: number) => number,
): Vector {
  const width = c.dim / c.heads
  return q.map((_, j) => {
    const head = Math.floor(j / width)
    const from = Math.floor((head * c.kvHeads) / c.heads) * width
    const own = q.slice(head * width, (head + 1) * width)
    const weights = keys.map((k, p) => 2 ** (dot(own, k.slice(from, from + width)) - fall(head, p)))
    const total = weights.reduce((a, b) => a + b)
    return weights.reduce((sum, w, p) => sum + (w / total) * values[p][from + (j % width)], 0)
  })
}
