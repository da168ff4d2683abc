/** BERT-base in the clear, as an ONNX graph: what others run without any protection. */
import { Tape, type Value } from '../tools/onnx/tape.ts'

/** Of Devlin et al. (2019), without embeddings, pooler and head, on one text of so many tokens. */
export const bertBase = { tokens: 128, layers: 12, dim: 768, heads: 12, ff: 3072 }
export type EncoderSizes = typeof bertBase

/** Two for each multiplication of a matrix product, those of attention included. */
export function floatingPointOperations({ tokens, layers, dim, ff }: EncoderSizes): number {
  return layers * 2 * tokens * (4 * dim * dim + 2 * dim * ff + 2 * tokens * dim)
}

/** Uniform numbers of a deviation, always the same ones (Marsaglia's xorshift). */
class Numbers {
  #state = 2463534242

  fill(length: number, std: number): Float32Array<ArrayBuffer> {
    const out = new Float32Array(length)
    let x = this.#state
    for (let i = 0; i < length; i++) {
      x ^= x << 13
      x ^= x >>> 17
      x ^= x << 5
      out[i] = (x / 2 ** 31) * Math.sqrt(3) * std
    }
    this.#state = x
    return out
  }
}

/** The input of a graph: [tokens x dim]. */
export const encoderInput = ({ tokens, dim }: EncoderSizes): Float32Array<ArrayBuffer> =>
  new Numbers().fill(tokens * dim, 1)

/** The whole model with fixed weights of a trained one's scale: `x` to `y`, both [tokens x dim]. */
export function encoderGraph(o: EncoderSizes): Uint8Array {
  const t = new Tape()
  const numbers = new Numbers()
  let x = t.input('x', [o.tokens, o.dim])
  for (let layer = 0; layer < o.layers; layer++) {
    x = norm(t, t.map('Add', x, attention(t, numbers, x, o)))
    x = norm(t, t.map('Add', x, dense(t, numbers, gelu(t, dense(t, numbers, x, o.ff)), o.dim)))
  }
  t.output('y', x)
  return t.model()
}

function dense(t: Tape, numbers: Numbers, x: Value, n: number): Value {
  const [m, k] = x.shape
  const product = t.op('MatMul', [x, t.constant(numbers.fill(k * n, 0.04), [k, n])], [m, n])
  return t.map('Add', product, t.constant(numbers.fill(n, 0.04), [n]))
}

function attention(t: Tape, numbers: Numbers, x: Value, { tokens, dim, heads }: EncoderSizes): Value {
  const apart = (v: Value) => t.transpose(t.reshape(v, [tokens, heads, dim / heads]), [1, 0, 2])
  const [q, k, v] = [0, 1, 2].map(() => apart(dense(t, numbers, x, dim)))
  const scores = t.product(q, k, { b: true }, 1 / Math.sqrt(dim / heads))
  const weights = t.op('Softmax', [scores], scores.shape, { axis: -1 })
  const mixed = t.reshape(t.transpose(t.product(weights, v), [1, 0, 2]), [tokens, dim])
  return dense(t, numbers, mixed, dim)
}

/** x times the normal distribution function of x (Hendrycks and Gimpel, 2016). */
function gelu(t: Tape, x: Value): Value {
  const erf = t.map('Erf', t.map('Mul', x, t.scalar(Math.SQRT1_2)))
  return t.map('Mul', t.map('Mul', x, t.map('Add', erf, t.scalar(1))), t.scalar(0.5))
}

function norm(t: Tape, x: Value): Value {
  const [, dim] = x.shape
  const gain = t.constant(new Float32Array(dim).fill(1), [dim])
  const shift = t.constant(new Float32Array(dim), [dim])
  return t.op('LayerNormalization', [x, gain, shift], x.shape, { axis: -1, epsilon: { float: 1e-12 } })
}
