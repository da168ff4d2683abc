import type { ModelConfig } from '../../src/model/architectures/config.ts'
import type { Tape, Value } from './tape.ts'

/** How scores become weights: `scale` is what products of queries and keys are multiplied by. */
export interface Scores extends Pick<ModelConfig, 'softcap' | 'softmaxCap'> {
  readonly scale: number
}

/**
 * weights(softcap(scale q k') + mask) v, with q `[rows, kvHeads, group * length, hd]`, so that query heads that share a
 * key head are rows of one product. The mask, 0 or very negative, has the shape of the logits but for axes of size one;
 * without it every row sees every other. Weights are the softmax, or SPRINT's power with a constant cap.
 */
export function attention(t: Tape, c: Scores, q: Value, k: Value, v: Value, mask?: Value): Value {
  const { scale } = c
  const raw = t.product(q, k, { b: true }, scale)
  const bent = c.softcap === undefined ? undefined : t.map('Tanh', t.map('Mul', raw, t.scalar(1 / c.softcap)))
  const scores = bent ? t.map('Mul', bent, t.scalar(c.softcap!)) : raw
  const { weights, slope } = normalise(t, mask ? t.map('Add', scores, mask) : scores, c.softmaxCap)
  return t.derivative(t.product(weights, v), (dy) => {
    t.accumulate(v, t.product(weights, dy, { a: true }))
    const dw = t.product(dy, v, { b: true })
    const along = t.sumLast(t.map('Mul', dw, weights))
    let ds = t.map('Mul', weights, t.map('Sub', dw, along))
    if (slope) ds = t.map('Mul', ds, slope)
    if (bent) ds = t.map('Sub', ds, t.map('Mul', ds, t.map('Mul', bent, bent)))
    t.accumulate(q, t.product(ds, k, {}, scale))
    t.accumulate(k, t.product(ds, q, { a: true }, scale))
  })
}

/** Rows of scores to rows that sum to one; `slope` is the logarithmic derivative of a numerator that is not exp. */
function normalise(t: Tape, scores: Value, cap?: number): { weights: Value; slope?: Value } {
  if (cap === undefined) return { weights: t.op('Softmax', [scores], scores.shape, { axis: -1 }) }
  // (1 + (x - cap) / 256)^256, and 0 where the base is negative; d log / dx = 1 / base.
  const base = t.map('Relu', t.map('Add', t.map('Mul', scores, t.scalar(1 / 256)), t.scalar(1 - cap / 256)))
  let power = base
  for (let i = 0; i < 8; i++) power = t.map('Mul', power, power)
  const slope = t.map('Reciprocal', t.map('Max', base, t.scalar(1e-6)))
  return { weights: t.map('Div', power, t.sumLast(power)), slope }
}
