import type { Tape, Value } from './tape.ts'

/** The layers of a transformer, each with its derivative beside it. */

export function add(t: Tape, a: Value, b: Value): Value {
  return t.derivative(t.map('Add', a, b), (dy) => {
    t.accumulate(a, dy)
    t.accumulate(b, dy)
  })
}

/** a times b, of one shape. */
export function multiply(t: Tape, a: Value, b: Value): Value {
  return t.derivative(t.map('Mul', a, b), (dy) => {
    t.accumulate(a, t.map('Mul', dy, b))
    t.accumulate(b, t.map('Mul', dy, a))
  })
}

/** Columns of `[n, sum of widths]` to one `[n, width]` for each. */
export const splitColumns = (t: Tape, x: Value, widths: readonly number[]): Value[] =>
  t.derivatives(t.split(x, widths), (gradients) =>
    t.accumulate(x, t.op('Concat', gradients, x.shape, { axis: -1 })),
  )

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
    const half = v.shape.at(-1)! / 2
    const [a, b] = t.split(v, [half, half])
    return t.op('Concat', [t.map('Neg', b), a], v.shape, { axis: -1 })
  }
  const rotate = (v: Value, combine: 'Add' | 'Sub') =>
    t.map(combine, t.map('Mul', v, cos), t.map('Mul', turn(v), sin))
  // A rotation's derivative is the rotation backwards: the same with the sine negated.
  return t.derivative(rotate(x, 'Add'), (dy) => t.accumulate(x, rotate(dy, 'Sub')))
}
