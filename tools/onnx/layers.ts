import type { Parameters } from './parameters.ts'
import type { Tape, Value } from './tape.ts'

/** The layers of a transformer, each with its derivative beside it. */

export function add(t: Tape, a: Value, b: Value): Value {
  return t.derivative(t.map('Add', a, b), (dy) => {
    t.accumulate(a, dy)
    t.accumulate(b, dy)
  })
}

/** x / sqrt(mean(x^2) + eps) * gain, over rows of `[n, d]`. */
export function rmsNorm(t: Tape, parameters: Parameters, x: Value, gain: Value, eps: number): Value {
  const mean = (v: Value) => t.map('Mul', t.sumLast(v), t.scalar(1 / x.shape[1]))
  const meanSquare = t.map('Add', mean(t.map('Mul', x, x)), t.scalar(eps))
  const inverse = t.map('Reciprocal', t.map('Sqrt', meanSquare))
  const normal = t.map('Mul', x, inverse)
  return t.derivative(t.map('Mul', normal, gain), (dy) => {
    parameters.vector(gain, t.map('Mul', dy, normal))
    const dn = t.map('Mul', dy, gain)
    const along = t.map('Mul', normal, mean(t.map('Mul', dn, normal)))
    t.accumulate(x, t.map('Mul', t.map('Sub', dn, along), inverse))
  })
}

/** `[rows * length, heads * hd]` -> `[rows, heads, length, hd]`. */
export function splitHeads(t: Tape, x: Value, rows: number, length: number, heads: number): Value {
  const hd = x.shape[1] / heads
  const split = t.transpose(t.reshape(x, [rows, length, heads, hd]), [0, 2, 1, 3])
  return t.derivative(split, (dy) => {
    t.accumulate(x, t.reshape(t.transpose(dy, [0, 2, 1, 3]), x.shape))
  })
}

/** `[rows, heads, length, hd]` -> `[rows * length, heads * hd]`. */
export function joinHeads(t: Tape, x: Value): Value {
  const [rows, heads, length, hd] = x.shape
  const joined = t.reshape(t.transpose(x, [0, 2, 1, 3]), [rows * length, heads * hd])
  return t.derivative(joined, (dy) => {
    t.accumulate(x, t.transpose(t.reshape(dy, [rows, length, heads, hd]), [0, 2, 1, 3]))
  })
}

export function reshape(t: Tape, x: Value, shape: number[]): Value {
  return t.derivative(t.reshape(x, shape), (dy) => t.accumulate(x, t.reshape(dy, x.shape)))
}

/** Rotate the halves of each head by the position's angles; cos and sin are `[length, hd]`. */
export function rotary(t: Tape, x: Value, cos: Value, sin: Value): Value {
  const turn = (v: Value) => {
    const [a, b] = t.halves(v)
    return t.op('Concat', [t.map('Neg', b), a], v.shape, { axis: -1 })
  }
  const rotate = (v: Value, combine: 'Add' | 'Sub') =>
    t.map(combine, t.map('Mul', v, cos), t.map('Mul', turn(v), sin))
  // A rotation's derivative is the rotation backwards: the same with the sine negated.
  return t.derivative(rotate(x, 'Add'), (dy) => t.accumulate(x, rotate(dy, 'Sub')))
}

/**
 * softmax(q k' * scale + mask) v, with q `[rows, kvHeads, group * length, hd]`, so that query heads
 * that share a key head are rows of one product.
 */
export function attention(t: Tape, q: Value, k: Value, v: Value, mask: Value, scale: number): Value {
  const scores = t.map('Add', t.product(q, k, { b: true }, scale), mask)
  const weights = t.op('Softmax', [scores], scores.shape, { axis: -1 })
  return t.derivative(t.product(weights, v), (dy) => {
    t.accumulate(v, t.product(weights, dy, { a: true }))
    const dw = t.product(dy, v, { b: true })
    const along = t.sumLast(t.map('Mul', dw, weights))
    const ds = t.map('Mul', weights, t.map('Sub', dw, along))
    t.accumulate(q, t.product(ds, k, {}, scale))
    t.accumulate(k, t.product(ds, q, { a: true }, scale))
  })
}

/** silu(gate) * up. */
export function swiGlu(t: Tape, gate: Value, up: Value): Value {
  const sigmoid = t.map('Sigmoid', gate)
  const act = t.map('Mul', gate, sigmoid)
  return t.derivative(t.map('Mul', act, up), (dy) => {
    t.accumulate(up, t.map('Mul', dy, act))
    // silu' = sigmoid + silu * (1 - sigmoid)
    const rest = t.map('Sub', act, t.map('Mul', act, sigmoid))
    t.accumulate(gate, t.map('Mul', t.map('Mul', dy, up), t.map('Add', sigmoid, rest)))
  })
}

/**
 * Mean cross-entropy of softmax(x weight') against `targets` `[n, 1]`; starts the backward pass.
 * Fused, because the gradient of the logits is simply (probability - one-hot) / n.
 */
export function crossEntropy(t: Tape, x: Value, weight: Value, targets: Value): Value {
  const n = x.shape[0]
  const logits = t.product(x, weight, { b: true })
  const p = t.op('Softmax', [logits], logits.shape, { axis: -1 })
  const gold = t.op('GatherElements', [p, targets], [n, 1], { axis: 1 })
  const surprise = t.map('Log', t.map('Max', gold, t.scalar(1e-30)))
  const less = t.map('Sub', gold, t.scalar(1))
  const dl = t.op('ScatterElements', [p, targets, less], p.shape, { axis: 1 })
  t.accumulate(x, t.product(dl, weight, {}, 1 / n))
  t.accumulate(weight, t.product(dl, x, { a: true }, 1 / n))
  return t.map('Mul', t.sumFirst(surprise), t.scalar(-1 / n))
}
