import type { Activation } from '../../src/model/architectures/config.ts'
import type { Tape, Value } from './tape.ts'

/** tanh(x). */
export function tanh(t: Tape, x: Value): Value {
  const y = t.map('Tanh', x)
  return t.derivative(y, (dy) => {
    const squared = t.map('Mul', y, y)
    t.accumulate(x, t.map('Sub', dy, t.map('Mul', dy, squared)))
  })
}

/** An element-wise function of x, and its slope, which may use what the value has computed. */
interface Curve {
  value: Value
  slope: () => Value
}

/** Element-wise operations with constants, in the order that they are read. */
class Arithmetic {
  readonly #tape: Tape

  constructor(tape: Tape) {
    this.#tape = tape
  }

  map = (type: string, x: Value): Value => this.#tape.map(type, x)
  times = (a: Value, b: Value | number): Value => this.#tape.map('Mul', a, this.#value(b))
  minus = (a: Value, b: Value): Value => this.#tape.map('Sub', a, b)
  plus = (a: Value, b: Value | number): Value => this.#tape.map('Add', a, this.#value(b))

  /** c[0] + c[1] x + c[2] x^2 + ... */
  polynomial = (x: Value, c: number[]): Value =>
    c
      .slice(0, -1)
      .reduceRight<Value>(
        (sum, coefficient, i) =>
          this.plus(i === c.length - 2 ? this.times(x, c[c.length - 1]) : this.times(sum, x), coefficient),
        x,
      )

  /** `inside` where |x| is at most the limit, else `outside`. */
  within = (x: Value, limit: number, inside: Value, outside: Value): Value => {
    const t = this.#tape
    const far = t.map('Greater', t.map('Abs', x), t.scalar(limit))
    return t.op('Where', [far, outside, inside], x.shape)
  }

  #value = (v: Value | number): Value => (typeof v === 'number' ? this.#tape.scalar(v) : v)
}

/** Normal distribution function of x. */
const cdf = (x: Value, o: Arithmetic): Value =>
  o.times(o.plus(o.map('Erf', o.times(x, Math.SQRT1_2)), 1), 0.5)

const density = (x: Value, o: Arithmetic): Value =>
  o.times(o.map('Exp', o.times(o.times(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI))

const root = Math.sqrt(2 / Math.PI)
const inner = (x: Value, o: Arithmetic): Value =>
  o.map('Tanh', o.times(x, o.plus(o.times(o.times(x, x), root * 0.044715), root)))

/** Coefficients of |x|^k, to which x / 2 is added: SPRINT's GELU up to |x| = 2.7. */
const quartic = [0.00162, -0.03798, 0.54106, -0.18353, 0.02085]
const quarticSlope = quartic.slice(1).map((c, i) => c * (i + 1))

const curves: Record<Exclude<Activation, 'linear'>, (x: Value, o: Arithmetic) => Curve> = {
  gelu: (x, o) => {
    const below = cdf(x, o)
    return { value: o.times(x, below), slope: () => o.plus(below, o.times(x, density(x, o))) }
  },
  gelu_tanh: (x, o) => {
    const u = inner(x, o)
    const raised = o.plus(u, 1)
    const slope = (): Value => {
      const steep = o.plus(o.times(o.times(x, x), 3 * root * 0.044715), root)
      const bend = o.times(o.times(x, steep), o.plus(o.times(o.times(u, u), -1), 1))
      return o.times(o.plus(raised, bend), 0.5)
    }
    return { value: o.times(o.times(x, raised), 0.5), slope }
  },
  gelu_sprint: (x, o) => {
    const size = o.map('Abs', x)
    const near = o.plus(o.polynomial(size, quartic), o.times(x, 0.5))
    const slope = (): Value => {
      const sign = o.map('Sign', x)
      const nearSlope = o.plus(o.times(o.polynomial(size, quarticSlope), sign), 0.5)
      return o.within(x, 2.7, nearSlope, o.map('Relu', sign))
    }
    return { value: o.within(x, 2.7, near, o.map('Relu', x)), slope }
  },
  relu: (x, o) => ({ value: o.map('Relu', x), slope: () => o.map('Relu', o.map('Sign', x)) }),
  silu: (x, o) => {
    const s = o.map('Sigmoid', x)
    const value = o.times(x, s)
    // silu' = sigmoid + silu (1 - sigmoid)
    return { value, slope: () => o.plus(s, o.minus(value, o.times(value, s))) }
  },
}

/** The feed-forward block's activation, as the model that will be served computes it. */
export function activate(t: Tape, x: Value, kind: Activation): Value {
  const o = new Arithmetic(t)
  if (kind === 'linear') return x
  const { value, slope } = curves[kind](x, o)
  return t.derivative(value, (dy) => t.accumulate(x, o.times(dy, slope())))
}
