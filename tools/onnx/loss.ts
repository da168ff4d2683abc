import type { Tape, Value } from './tape.ts'

/**
 * Cross-entropy of softmax(logits) `[n, labels]` against target probabilities of the same shape, for each row `[n, 1]`.
 * Starts the backward pass from the sum of the losses times `weight` `[n, 1]`: 1 / n gives the mean, 0 leaves a row out.
 */
export function softCrossEntropy(t: Tape, logits: Value, targets: Value, weight: Value): Value {
  const p = t.op('Softmax', [logits], logits.shape, { axis: -1 })
  t.accumulate(logits, t.map('Mul', t.map('Sub', p, targets), weight))
  const surprise = t.op('LogSoftmax', [logits], logits.shape, { axis: -1 })
  return t.map('Neg', t.sumLast(t.map('Mul', targets, surprise)))
}

/**
 * Cross-entropy of softmax(logits) `[n, labels]` against one right class for each row, `targets` `[n, 1]` (integers), which
 * takes no row of probabilities where classes are many. Starts the backward pass as `softCrossEntropy` does.
 */
export function hardCrossEntropy(t: Tape, logits: Value, targets: Value, weight: Value): Value {
  const p = t.op('Softmax', [logits], logits.shape, { axis: -1 })
  const gold = t.op('GatherElements', [p, targets], weight.shape, { axis: 1 })
  const less = t.map('Sub', gold, t.scalar(1))
  const dl = t.op('ScatterElements', [p, targets, less], p.shape, { axis: 1 })
  t.accumulate(logits, t.map('Mul', dl, weight))
  return t.map('Neg', t.map('Log', t.map('Max', gold, t.scalar(1e-30))))
}

/** Mean squared error over the last axis, for each row `[n, 1]`; backward as above. */
export function squaredError(t: Tape, x: Value, targets: Value, weight: Value): Value {
  const width = x.shape[1]
  const off = t.map('Sub', x, targets)
  t.accumulate(x, t.map('Mul', t.map('Mul', off, weight), t.scalar(2 / width)))
  return t.map('Mul', t.sumLast(t.map('Mul', off, off)), t.scalar(1 / width))
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
