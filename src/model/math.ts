/**
 * Plain building blocks of the reference models. Matrices are flat and row-major. Results are as wide as `x`: in
 * float32 every stored activation is rounded, and sums are made in double and rounded once.
 */

/** Activations in either precision. */
export type Floats = Float64Array | Float32Array

/** Zeros in the precision of `x`. */
export const zerosLike = <T extends Floats>(x: T, length: number): T =>
  new (x.constructor as new (length: number) => T)(length)

/**
 * y = x w' + bias, with x `[n, inputs]`, w `[outputs, inputs]` and y `[n, outputs]`.
 * Four rows of w at a time share each load of x, and give the processor four independent sums.
 */
export function linear<T extends Floats>(x: T, w: Float32Array, outputs: number, bias?: Float32Array): T {
  const inputs = w.length / outputs
  const n = x.length / inputs
  const y = zerosLike(x, n * outputs)
  const whole = outputs - (outputs % 4)
  // Weights outermost: a long prefill then reads each weight from memory once.
  for (let o = 0; o < whole; o += 4) {
    for (let t = 0; t < n; t++) dot4(x, t * inputs, w, o * inputs, inputs, y, t * outputs + o)
  }
  for (let o = whole; o < outputs; o++) {
    for (let t = 0; t < n; t++) {
      let sum = 0
      for (let i = 0; i < inputs; i++) sum += x[t * inputs + i] * w[o * inputs + i]
      y[t * outputs + o] = sum
    }
  }
  if (bias) for (let at = 0; at < y.length; at++) y[at] += bias[at % outputs]
  return y
}

function dot4(
  x: Floats,
  xAt: number,
  w: Float32Array,
  wAt: number,
  length: number,
  y: Floats,
  yAt: number,
): void {
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  const w1 = wAt + length
  const w2 = w1 + length
  const w3 = w2 + length
  for (let i = 0; i < length; i++) {
    const value = x[xAt + i]
    a += value * w[wAt + i]
    b += value * w[w1 + i]
    c += value * w[w2 + i]
    d += value * w[w3 + i]
  }
  y[yAt] = a
  y[yAt + 1] = b
  y[yAt + 2] = c
  y[yAt + 3] = d
}

/** `[rows, columns]` to `[columns, rows]`. */
export function transpose(m: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(m.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = m[r * columns + c]
  return out
}

/** x += y. */
export function addTo(x: Floats, y: Floats): void {
  for (let i = 0; i < x.length; i++) x[i] += y[i]
}

/** In-place softmax of `x[from, to)`; subtracting the maximum keeps exp in range. */
export function softmax(x: Floats, from = 0, to = x.length): void {
  let max = Number.NEGATIVE_INFINITY
  for (let i = from; i < to; i++) max = Math.max(max, x[i])
  let sum = 0
  for (let i = from; i < to; i++) {
    x[i] = Math.exp(x[i] - max)
    sum += x[i]
  }
  for (let i = from; i < to; i++) x[i] /= sum
}

/** x, or cap * tanh(x / cap) where there is a cap. */
export const softcap = (x: number, cap?: number): number => (cap === undefined ? x : cap * Math.tanh(x / cap))

/** SPRINT's numerator of softmax: (1 + (x - cap) / 256)^256, and 0 where its base is negative. */
export const cappedExp = (x: number, cap: number): number => Math.max(0, 1 + (x - cap) / 256) ** 256

/** In-place softmax with a constant cap instead of the maximum, and a power instead of exp: see `cappedExp`. */
export function cappedSoftmax(x: Floats, cap: number): void {
  let sum = 0
  for (let i = 0; i < x.length; i++) {
    x[i] = cappedExp(x[i], cap)
    sum += x[i]
  }
  for (let i = 0; i < x.length; i++) x[i] /= sum
}

/** x / (1 + e^-x) (Elfwing et al., 2018). */
export const silu = (x: number): number => x / (1 + Math.exp(-x))

/** The original GELU, x times the normal distribution function. */
export const gelu = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2))

/** GPT-2's approximation of GELU. */
export const geluTanh = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))

/** SPRINT's GELU: an even quartic plus x / 2 up to |x| = 2.7, ReLU beyond; off GELU by at most 0.0094. */
export function geluSprint(x: number): number {
  const a = Math.abs(x)
  if (a > 2.7) return Math.max(x, 0)
  return x / 2 + 0.00162 + a * (-0.03798 + a * (0.54106 + a * (-0.18353 + a * 0.02085)))
}

const relu = (x: number): number => Math.max(x, 0)
const linearly = (x: number): number => x

/** By the names that configurations have for them. */
export const activations = {
  silu,
  gelu,
  gelu_tanh: geluTanh,
  gelu_sprint: geluSprint,
  relu,
  linear: linearly,
}

/** What may follow a classifier's first dense layer. */
export const poolActivations = { tanh: Math.tanh, relu, gelu }

/** Error function to nearly full precision: a series near zero, a continued fraction further out. */
export function erf(x: number): number {
  const z = Math.abs(x)
  if (z > 6) return Math.sign(x)
  if (z < 2.5) {
    // erf x = 2/sqrt(pi) exp(-x^2) sum_k 2^k x^(2k+1) / (1 3 5 ... (2k+1)): all terms positive.
    let term = x
    let sum = x
    for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum); k++) {
      term *= (2 * x * x) / (2 * k + 1)
      sum += term
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
  }
  // erfc z = exp(-z^2)/sqrt(pi) / (z + 1/2/(z + 1/(z + 3/2/(z + ...)))), evaluated from the inside.
  let fraction = z
  for (let k = 60; k >= 1; k--) fraction = z + k / 2 / fraction
  return Math.sign(x) * (1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / fraction)
}
