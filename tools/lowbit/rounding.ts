import type { Tape, Value } from '../onnx/tape.ts'

/**
 * Rounding as the parties do it: a share is cut, which rounds the value up or down at random, and on average not at all.
 * The noise is fed, so that a run can be repeated; gradients pass through (Bengio et al., 2013).
 */
export class Rounding {
  readonly #tape: Tape
  readonly #noise?: Value
  #used = 0

  /** Without noise nothing is rounded. */
  constructor(tape: Tape, noise?: Value) {
    this.#tape = tape
    this.#noise = noise
  }

  get isOn(): boolean {
    return this.#noise !== undefined
  }

  /** Uniform numbers in [0, 1), others at each call as far as the noise reaches. */
  uniform(shape: readonly number[]): Value {
    const t = this.#tape
    const size = shape.reduce((a, b) => a * b, 1)
    const room = this.#noise!.shape[0] - size
    if (room < 0)
      throw new RangeError(`${size} numbers of noise are needed, and ${this.#noise!.shape[0]} fed.`)
    const from = room === 0 ? 0 : (this.#used++ * 7919) % room
    const part = t.op('Slice', [this.#noise!, t.integers(from), t.integers(from + size)], [size])
    return t.reshape(part, [...shape])
  }

  /** x 2^-bits, rounded at random. */
  drop(x: Value, bits: number): Value {
    const t = this.#tape
    const by = t.scalar(2 ** -bits)
    const small = bits === 0 ? x : t.map('Mul', x, by)
    const out = this.isOn ? t.map('Floor', t.map('Add', small, this.uniform(x.shape))) : small
    if (out === x) return x
    return t.derivative(out, (dy) => t.accumulate(x, bits === 0 ? dy : t.map('Mul', dy, by)))
  }
}

/**
 * Leaves x as it is, and adds to its gradient that of weight / 2 (|x| / limit - 1)^2 wherever |x| is above the limit, on
 * average over its rows: rings are narrow, and what leaves them comes back at the other end.
 */
export function penalise(t: Tape, x: Value, limit: number, weight: number): Value {
  const same = t.op('Identity', [x], x.shape)
  return t.derivative(same, (dy) => {
    const over = t.map('Relu', t.map('Sub', t.map('Abs', x), t.scalar(limit)))
    const push = t.map(
      'Mul',
      t.map('Mul', over, t.map('Sign', x)),
      t.scalar(weight / (limit * limit * x.shape[0])),
    )
    t.accumulate(x, t.map('Add', dy, push))
  })
}

/** Leaves x as it is, and pushes down each row whose sum of squares is above the limit; see {@link penalise}. */
export function penaliseRows(t: Tape, x: Value, limit: number, weight: number): Value {
  const same = t.op('Identity', [x], x.shape)
  return t.derivative(same, (dy) => {
    const sum = t.sumLast(t.map('Mul', x, x))
    const over = t.map('Relu', t.map('Sub', t.map('Mul', sum, t.scalar(1 / limit)), t.scalar(1)))
    const by = t.map('Mul', over, t.scalar((2 * weight) / (limit * x.shape[0])))
    t.accumulate(x, t.map('Add', dy, t.op('Mul', [x, by], x.shape)))
  })
}
