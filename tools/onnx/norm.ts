import type { Parameters } from './parameters.ts'
import type { Tape, Value } from './tape.ts'

/** (x - mean) / sqrt(variance + eps) * gain + shift, over rows of `[n, d]` (Ba et al., 2016). */
export function layerNorm(
  t: Tape,
  parameters: Parameters,
  x: Value,
  gain: Value,
  shift: Value,
  eps: number,
): Value {
  const mean = (v: Value) => t.map('Mul', t.sumLast(v), t.scalar(1 / x.shape[1]))
  const centred = t.map('Sub', x, mean(x))
  const variance = mean(t.map('Mul', centred, centred))
  const inverse = t.map('Reciprocal', t.map('Sqrt', t.map('Add', variance, t.scalar(eps))))
  const normal = t.map('Mul', centred, inverse)
  return t.derivative(t.map('Add', t.map('Mul', normal, gain), shift), (dy) => {
    parameters.vector(gain, t.map('Mul', dy, normal))
    parameters.vector(shift, dy)
    const dn = t.map('Mul', dy, gain)
    const along = t.map('Mul', normal, mean(t.map('Mul', dn, normal)))
    t.accumulate(x, t.map('Mul', t.map('Sub', t.map('Sub', dn, mean(dn)), along), inverse))
  })
}

/** x / sqrt(mean(x^2) + eps), over rows of `[n, d]`. */
export function unitNorm(t: Tape, x: Value, eps: number): Value {
  const { normal, inverse, mean } = overRms(t, x, eps)
  return t.derivative(normal, (dy) => {
    const along = t.map('Mul', normal, mean(t.map('Mul', dy, normal)))
    t.accumulate(x, t.map('Mul', t.map('Sub', dy, along), inverse))
  })
}

function overRms(t: Tape, x: Value, eps: number) {
  const mean = (v: Value) => t.map('Mul', t.sumLast(v), t.scalar(1 / x.shape[1]))
  const meanSquare = t.map('Add', mean(t.map('Mul', x, x)), t.scalar(eps))
  const inverse = t.map('Reciprocal', t.map('Sqrt', meanSquare))
  return { normal: t.map('Mul', x, inverse), inverse, mean }
}

/** x / sqrt(mean(x^2) + eps) * gain, over rows of `[n, d]`. */
export function rmsNorm(t: Tape, parameters: Parameters, x: Value, gain: Value, eps: number): Value {
  const { normal, inverse, mean } = overRms(t, x, eps)
  return t.derivative(t.map('Mul', normal, gain), (dy) => {
    parameters.vector(gain, t.map('Mul', dy, normal))
    const dn = t.map('Mul', dy, gain)
    const along = t.map('Mul', normal, mean(t.map('Mul', dn, normal)))
    t.accumulate(x, t.map('Mul', t.map('Sub', dn, along), inverse))
  })
}
