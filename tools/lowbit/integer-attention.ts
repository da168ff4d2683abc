import type { Tape, Value } from '../onnx/tape.ts'
import { type Precision, type Shifts, tables } from './precision.ts'
import type { Rounding } from './rounding.ts'

/**
 * How hard scores are pushed below their cap, and their sums' logarithms above the least that is represented well: times
 * the square of how far they are off, for each row of a head.
 */
const PUSH = 2
/** Octaves below the cap at which training clips scores: what it has not seen may be above that, and yet no harm done. */
const MARGIN = 1
/** Octaves below the cap at which a row's sum of weights becomes coarse. */
const DEPTH = 3

/** What is added to scores, in octaves, and what makes those very small that nobody sees: of padding, and of later tokens. */
export interface ScoreMasks {
  readonly mask: Value
  readonly unseen: Value
}

/**
 * Attention in integers: q `[examples, kvHeads, group * length, hd]`, k and v `[examples, kvHeads, length, hd]` in their
 * units; `scores` receives those that are seen, in octaves. Scores are cut to 1/32 octaves under a static cap, weights are
 * 2^(score - cap) with `fe` fraction bits, and the sum is inverted by a table. Result in half units of v. Gradients are
 * those of the exact function at the rounded weights.
 */
export function integerAttention(
  t: Tape,
  rounding: Rounding,
  p: Precision,
  s: Shifts,
  [q, k, v]: [Value, Value, Value],
  { mask, unseen }: ScoreMasks,
  scores: Value[],
): Value {
  const unit = 2 ** -s.frac
  const exact = t.product(q, k, { b: true }, unit)
  // What counts is what a score has come to after it fell with the distance.
  const fallen = t.map('Add', exact, mask)
  const seen = t.map('Add', fallen, unseen)
  scores.push(seen)
  const fine = rounding.isOn ? t.map('Add', roundTo(t, rounding, exact, 32), mask) : fallen
  const most = p.cap - MARGIN
  const capped = t.map('Min', fine, t.scalar(most))
  const power = t.map(
    'Exp',
    t.map('Mul', t.map('Add', capped, t.scalar(tables.fe - p.cap)), t.scalar(Math.LN2)),
  )
  const e = rounding.isOn ? t.map('Floor', t.map('Add', power, rounding.uniform(power.shape))) : power
  const sum = t.map('Max', t.sumLast(e), t.scalar(1e-6))
  const { out, weights } = rounding.isOn ? coarse(t, rounding, s, e, sum, v) : plain(t, e, sum, v)
  return t.derivative(out, (dy) => {
    const half = t.map('Mul', dy, t.scalar(2))
    t.accumulate(v, t.product(weights, half, { a: true }))
    const dw = t.product(half, v, { b: true })
    const along = t.sumLast(t.map('Mul', dw, weights))
    let dz = t.map('Mul', t.map('Mul', weights, t.map('Sub', dw, along)), t.scalar(Math.LN2))
    const push = PUSH / exact.shape.slice(0, -1).reduce((a, b) => a * b, 1)
    if (rounding.isOn) {
      // A row that is too deep below the cap is raised as a whole; scores above the cap are lowered, each.
      const logarithm = t.map('Mul', t.map('Log', sum), t.scalar(Math.LOG2E))
      const deep = t.map('Relu', t.map('Sub', t.scalar(tables.fe - DEPTH), logarithm))
      const rows = t.op('Mul', [weights, t.map('Mul', deep, t.scalar(-push))], weights.shape)
      dz = t.map('Add', dz, rows)
    }
    const above = t.map('Relu', t.map('Sub', seen, t.scalar(most - 0.5)))
    const isBelow = t.map('Relu', t.map('Sign', t.map('Sub', t.scalar(most), fallen)))
    const inside = t.map('Mul', dz, isBelow)
    const all = t.map('Add', inside, t.map('Mul', above, t.scalar(push)))
    t.accumulate(q, t.product(all, k, {}, unit))
    t.accumulate(k, t.product(all, q, { a: true }, unit))
  })
}

const roundTo = (t: Tape, rounding: Rounding, x: Value, parts: number): Value =>
  t.map(
    'Mul',
    t.map('Floor', t.map('Add', t.map('Mul', x, t.scalar(parts)), rounding.uniform(x.shape))),
    t.scalar(1 / parts),
  )

function plain(t: Tape, e: Value, sum: Value, v: Value): { out: Value; weights: Value } {
  const weights = t.map('Div', e, sum)
  return { out: t.map('Mul', t.product(weights, v), t.scalar(2)), weights }
}

/** The sum is cut before it is inverted, and the mixed values before they are multiplied by that. */
function coarse(
  t: Tape,
  rounding: Rounding,
  s: Shifts,
  e: Value,
  sum: Value,
  v: Value,
): { out: Value; weights: Value } {
  const cut = (x: Value, bits: number): Value =>
    t.map('Floor', t.map('Add', t.map('Mul', x, t.scalar(2 ** -bits)), rounding.uniform(x.shape)))
  const n = t.map('Max', cut(sum, tables.td), t.scalar(1))
  const scale = 2 ** (1 + s.to + s.tp - tables.td)
  const inverse = t.map(
    'Min',
    t.map('Round', t.map('Mul', t.map('Reciprocal', n), t.scalar(scale))),
    t.scalar(tables.mostInverse - 1),
  )
  const mixed = cut(t.product(e, v), s.tp)
  const out = cut(t.op('Mul', [mixed, inverse], mixed.shape), s.to)
  // What the values were in effect multiplied by: half a unit makes two.
  const weights = t.op('Mul', [e, t.map('Mul', inverse, t.scalar(2 ** -(1 + s.to + s.tp)))], e.shape)
  return { out, weights }
}
