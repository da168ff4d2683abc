import type { Dense } from '../../src/model/graph/graph.ts'
import { add } from './layers.ts'
import type { Parameters } from './parameters.ts'
import type { Tape, Value } from './tape.ts'

/** A low-rank adapter: `scale` (x A') B' is added to a dense layer's result. */
export interface Adapter {
  /** `[rank, in]`. */
  a: Value
  /** `[out, rank]`. */
  b: Value
  /** alpha / rank. */
  scale: number
}

/**
 * x W': x `[n, in]`, weight `[out, in]` -> `[n, out]`, or x W of a weight `[in, out]`; the weight's gradient goes to
 * `parameters`.
 */
export function matrix(
  t: Tape,
  parameters: Parameters,
  x: Value,
  weight: Value,
  layout: Dense['layout'] = 'out-in',
): Value {
  const isStoredByOutput = layout === 'out-in'
  return t.derivative(t.product(x, weight, { b: isStoredByOutput }), (dy) => {
    t.accumulate(x, t.product(dy, weight, { b: !isStoredByOutput }))
    if (isStoredByOutput) parameters.matrix(weight, dy, x)
    // The transposed weight's gradient, with the roles of rows and columns exchanged.
    else parameters.matrix(weight, x, dy)
  })
}

/** x + bias over rows of `[n, d]`. */
export function bias(t: Tape, parameters: Parameters, x: Value, b: Value): Value {
  return t.derivative(t.map('Add', x, b), (dy) => {
    t.accumulate(x, dy)
    parameters.vector(b, dy)
  })
}

/** scale times x. */
export function scaled(t: Tape, x: Value, scale: number): Value {
  const by = t.scalar(scale)
  return t.derivative(t.map('Mul', x, by), (dy) => t.accumulate(x, t.map('Mul', dy, by)))
}

/** The tensors of a dense layer. */
export interface DenseWeights {
  weight: Value
  layout?: Dense['layout']
  bias?: Value
  adapter?: Adapter
}

/** x W' + b, and the adapter's share if there is one (Hu et al., LoRA, 2021). */
export function dense(
  t: Tape,
  parameters: Parameters,
  x: Value,
  { weight, layout, bias: b, adapter }: DenseWeights,
): Value {
  let y = matrix(t, parameters, x, weight, layout)
  if (adapter) {
    const inner = scaled(t, matrix(t, parameters, x, adapter.a), adapter.scale)
    y = add(t, y, matrix(t, parameters, inner, adapter.b))
  }
  return b ? bias(t, parameters, y, b) : y
}
