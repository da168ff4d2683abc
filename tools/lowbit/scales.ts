import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { formOf } from './lowbit-tape.ts'
import { privateMatrices } from './matrices.ts'
import { type Bits, type MatrixKind, matrixKinds, type Precision, shiftsOf } from './precision.ts'
import type { Measured } from './task.ts'

/** log2 of X, the standard deviation of activations in units, by their bits: four deviations on either side. */
const activationBits: Record<Bits, number> = { w1a8: 5, w1a6: 3, w1a4: 1, w4a6: 3 }
/** Mean integer scale of a column that is aimed for. */
const aimedScale = { 1: 5, 4: 2.2 } as const

/** What values of a model have for a root mean square, in its own units, over all layers. */
export interface Sizes {
  readonly qk: number
  readonly v: number
  readonly g: number
}

/**
 * Scales for a model: units by the bits of its activations and by what values measure, matrices so that a column's integer
 * scale has about two bits behind its first.
 */
export function precisionFor(
  config: ModelConfig,
  masters: Tensors,
  bits: Bits,
  sizes: Sizes,
  rounds: { weights: boolean },
): Precision {
  const x = activationBits[bits]
  const form = formOf(config)
  const fit = (units: number, size: number): number => Math.round(Math.log2(units / Math.max(size, 1e-6)))
  const X = 2 ** x
  const weightBits = bits === 'w4a6' ? 4 : 1
  const unshifted: Precision = {
    weightBits: rounds.weights ? weightBits : 32,
    isRounded: true,
    x,
    qk: fit(2 * X, sizes.qk),
    v: fit(X, sizes.v),
    g: fit(X, sizes.g),
    // A product of two values of X units has X^2; so many are dropped that it has X.
    th: form.isGated ? x : 0,
    weights: meanScales(config, masters, weightBits),
    cap: 8,
    rings: { v: x + 3, g: x + 5, y: x + 9, sq: 2 * (x + 2) + Math.ceil(Math.log2(config.dim * 2.25)) + 2 },
  }
  return atLeastWhole(unshifted, form)
}

/** How far beyond what was measured a value may go. */
const HEADROOM = 1.25

/** The scales of a trained model: rings and cap that hold what was measured, in the units of `p`. */
export function settled(p: Precision, measured: Measured): Precision {
  const bits = (kind: 'v' | 'g' | 'y' | 'squares'): number =>
    Math.ceil(Math.log2(HEADROOM * measured[kind].most))
  const { v, g, y, sq } = p.rings
  return {
    ...p,
    cap: Math.max(p.cap, Math.ceil(measured.scores.most + 0.5)),
    rings: {
      v: Math.max(v, bits('v')),
      g: Math.max(g, bits('g') + 2),
      y: Math.max(y, bits('y') + 2),
      sq: Math.max(sq, bits('squares')),
    },
  }
}

/** What training in floating point goes by: the same graph, in which scales cancel. */
export const unrounded = (config: ModelConfig, masters: Tensors): Precision => ({
  ...precisionFor(config, masters, 'w1a8', { qk: 1, v: 1, g: 1 }, { weights: false }),
  isRounded: false,
})

/** Fraction bits of each kind, by the mean size of its weights. */
function meanScales(config: ModelConfig, masters: Tensors, bits: 1 | 4): Record<MatrixKind, number> {
  const mean = (kind: MatrixKind): number => {
    const all = privateMatrices(config).filter((m) => m.kind === kind)
    const sizes = all.map(({ weight }) => {
      const { data } = masters.get(weight)!
      return data.reduce((sum, w) => sum + Math.abs(w), 0) / data.length
    })
    return sizes.length === 0 ? 0 : sizes.reduce((a, b) => a + b) / sizes.length
  }
  const fraction = (kind: MatrixKind): number => {
    if (kind === 'head') return 6
    const size = mean(kind) || 0.05
    const aimed = bits === 1 ? aimedScale[1] / size : aimedScale[4] / (0.165 * size)
    return Math.round(Math.log2(aimed))
  }
  return Object.fromEntries(matrixKinds.map((kind) => [kind, fraction(kind)])) as Record<MatrixKind, number>
}

/** Matrices as fine as it takes for every truncation to drop no less than nothing. */
function atLeastWhole(p: Precision, form: { isGated: boolean; readsResidual: boolean }): Precision {
  const s = shiftsOf(p, form)
  const lift = (shift: number): number => Math.max(0, -shift)
  const { qk, v, out, up, down, head } = p.weights
  const weights = {
    qk: qk + lift(s.tq),
    v: v + lift(s.tv),
    out: out + lift(s.tw),
    up: up + lift(s.tg),
    down: down + lift(s.t2),
    head,
  }
  return { ...p, weights }
}
