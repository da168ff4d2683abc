import type { Tape, Value } from '../onnx/tape.ts'
import { type Precision, tables } from './precision.ts'
import type { Rounding } from './rounding.ts'

/**
 * ReLU by a bit: g times [g >= 0], where the bit is of the interval that g is found in, so that it may be wrong for values
 * below half an interval.
 */
export function gated(t: Tape, rounding: Rounding, { rings }: Precision, g: Value): Value {
  let compared = g
  if (rounding.isOn) {
    const width = 2 ** (rings.g - tables.sign)
    const within = t.map('Floor', t.map('Mul', rounding.uniform(g.shape), t.scalar(width)))
    // Half a unit more, so that zero counts as positive.
    compared = t.map('Add', t.map('Sub', g, within), t.scalar(width / 2 + 0.5))
  }
  const bit = t.map('Relu', t.map('Sign', compared))
  return t.derivative(t.map('Mul', g, bit), (dh) => t.accumulate(g, t.map('Mul', dh, bit)))
}

/** How 1/rms is found: by a table of every sum of squares, or by one of few entries, which are off by up to half a step. */
export type InverseRms = 'fine' | 'coarse'

/**
 * The rows of `out`, in units of the residual, over the root mean square of the rows of `y`; 2^x units are one. Where both
 * are one this is the norm, else a homogeneous block ran in between.
 */
export function overRms(
  t: Tape,
  rounding: Rounding,
  p: Precision,
  y: Value,
  out: Value,
  kind: InverseRms,
): Value {
  const [, d] = y.shape
  const { vr, fr, norm } = tables
  const sum = t.map('Max', t.sumLast(t.map('Mul', y, y)), t.scalar(1e-9))
  const scale = 2 ** p.x * Math.sqrt(d)
  let rho: Value
  if (rounding.isOn) {
    const dropped = 2 ** (p.rings.sq - vr)
    let s = t.map(
      'Floor',
      t.map('Add', t.map('Mul', sum, t.scalar(1 / dropped)), rounding.uniform(sum.shape)),
    )
    if (kind === 'coarse') {
      const width = 2 ** (vr - norm)
      const within = t.map('Floor', t.map('Mul', rounding.uniform(sum.shape), t.scalar(width)))
      s = t.map('Add', t.map('Sub', s, within), t.scalar(width / 2))
    }
    s = t.map('Max', s, t.scalar(leastSquares(p, d)))
    const inverse = t.map('Reciprocal', t.map('Sqrt', t.map('Mul', s, t.scalar(dropped))))
    const r = t.map('Round', t.map('Mul', inverse, t.scalar(scale * 2 ** fr)))
    rho = t.map('Mul', r, t.scalar(2 ** -fr))
  } else rho = t.map('Mul', t.map('Reciprocal', t.map('Sqrt', sum)), t.scalar(scale))
  const scaled = t.op('Mul', [out, rho], out.shape)
  const x = rounding.isOn ? t.map('Floor', t.map('Add', scaled, rounding.uniform(out.shape))) : scaled
  return t.derivative(x, (dx) => {
    t.accumulate(out, t.op('Mul', [dx, rho], dx.shape))
    const along = t.sumLast(t.map('Mul', dx, out))
    const back = t.map('Neg', t.map('Div', t.map('Mul', along, rho), sum))
    t.accumulate(y, t.op('Mul', [y, back], y.shape))
  })
}

/** The least sum of squares that is told apart: a root mean square of a quarter of what is expected, cut like the sum. */
export const leastSquares = (p: Precision, d: number): number =>
  Math.ceil(d * 4 ** p.x * 2 ** (tables.vr - p.rings.sq))
