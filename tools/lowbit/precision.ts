/** How many bits a lowbit model has, and the scales that follow: every number of it is an integer times a power of two. */

/** Bits of private weights and of activations, as the literature writes them. */
export const bitsNames = ['w1a8', 'w1a6', 'w1a4', 'w4a6'] as const
export type Bits = (typeof bitsNames)[number]

/** Kinds of matrices, which share a scale over all layers. */
export const matrixKinds = ['qk', 'v', 'out', 'up', 'down', 'head'] as const
export type MatrixKind = (typeof matrixKinds)[number]

/**
 * Fraction bits f: a real value is an integer times 2^-f. Sizes are those of a text-book normal distribution: activations
 * have a standard deviation of X = 2^x units, queries and keys 2 X, values X, what the feed-forward block makes X.
 */
export interface Precision {
  /** 32 leaves weights as they are. */
  readonly weightBits: 1 | 4 | 32
  /** Whether activations are rounded at all. */
  readonly isRounded: boolean
  readonly x: number
  readonly qk: number
  readonly v: number
  readonly g: number
  /** Bits dropped of the product of a gated block. */
  readonly th: number
  readonly weights: Readonly<Record<MatrixKind, number>>
  /** Largest score, in octaves. */
  readonly cap: number
  /** |v| < 2^v; rings of g and y, which are lifted: |g| < 2^(g - 2); a row's sum of squares < 2^sq. */
  readonly rings: { readonly v: number; readonly g: number; readonly y: number; readonly sq: number }
}

/** What is measured of a model: its rings, units and cap follow from it. */
export const valueKinds = ['qk', 'v', 'g', 'y', 'squares', 'scores'] as const
export type ValueKind = (typeof valueKinds)[number]

/** Fixed by the profile: fraction bits of an attention weight at the cap, and widths of the small tables. */
export const tables = {
  fe: 9,
  /** Bits dropped of a row's sum of weights, and the largest 1/sum. */
  td: 4,
  mostInverse: 1 << 14,
  /** Bits of a row's sum of squares that its inverse root is looked up by, and fraction bits of what is found. */
  vr: 9,
  fr: 8,
  /** log2 of entries: signs, inverse roots that are multiplied by a whole row. */
  sign: 6,
  norm: 4,
} as const

/** Scales and shifts that follow from a precision: how many bits each truncation drops. */
export function shiftsOf(p: Precision, form: { isGated: boolean; readsResidual: boolean }) {
  const fa = p.v + 1
  const fy = p.x + 2
  const fh = form.isGated ? 2 * p.g - p.th : p.g
  return {
    fa,
    fy,
    fh,
    /** Of a score, down to 1/32 octaves. */
    frac: 2 * p.qk,
    tq: p.x + p.weights.qk - p.qk,
    tv: p.x + p.weights.v - p.v,
    tw: fa + p.weights.out - fy,
    tg: (form.readsResidual ? fy : p.x) + p.weights.up - p.g,
    t2: fh + p.weights.down - fy,
    /** Of the mixed values, and of their product with 1/sum. */
    tp: p.rings.v,
    to: 17 - p.rings.v,
  }
}

export type Shifts = ReturnType<typeof shiftsOf>
