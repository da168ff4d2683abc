/** The two products of attention on lanes in the clear of one party: queries by keys, weights by values. */
import { demand } from './error.ts'
import { type LaneArray, type LaneWidth, narrowed, widened } from './lanes.ts'
import { checkSize } from './sizes.ts'

/** Row r of the queries or weights sees `seen + r * step` positions of the keys or values, oldest first. */
export interface Contraction {
  readonly rows: number
  readonly seen: number
  /** 1 where every row sees one position more than the row before, 0 where all see the same. */
  readonly step: 0 | 1
  readonly heads: number
  /** Divides `heads`: so many heads in a row share keys and values. */
  readonly kvHeads: number
  readonly headDim: number
}

/** A left and a right operand, in lanes of any width: queries and keys, or weights and values. */
export type ContractionTerm = readonly [left: LaneArray, right: LaneArray]

/**
 * Attention's products (Vaswani et al., 2017, section 3.2; grouped heads: Ainslie et al., 2023), without
 * scaling or softmax.
 */
export interface ContractionKernels {
  /**
   * The sum over terms of attention's products, all heads at once, in lanes of `width` bits, mod 2^width. `scores`: queries (rows x heads * headDim)
   * by keys (positions x kvHeads * headDim), to pairs x heads: every row's positions in their order. `mix`: weights
   * (pairs x heads) by values, to rows x heads * headDim. Narrow lanes are several times faster.
   * @throws KernelError on operands of another size.
   */
  contract<W extends LaneWidth = 64>(
    kind: 'scores' | 'mix',
    terms: readonly ContractionTerm[],
    o: Contraction,
    width?: W,
  ): LaneArray<W>
}

/** Pairs of a row and a position that it sees. */
export const contractionPairs = ({ rows, seen, step }: Contraction): number =>
  rows * seen + (step * rows * (rows - 1)) / 2

/** Lanes of the operands and of the result. */
export function contractionSizes(
  kind: 'scores' | 'mix',
  o: Contraction,
): { left: number; right: number; out: number } {
  const { rows, seen, step, heads, kvHeads, headDim } = o
  const wide = rows * heads * headDim
  const each = contractionPairs(o) * heads
  const right = rows === 0 ? 0 : (seen + step * (rows - 1)) * kvHeads * headDim
  return kind === 'scores' ? { left: wide, right, out: each } : { left: each, right, out: wide }
}

/** Arguments of `ContractionKernels.contract`. */
export function checkContraction(
  kind: 'scores' | 'mix',
  terms: readonly ContractionTerm[],
  o: Contraction,
): void {
  for (const size of [o.rows, o.seen, o.heads, o.kvHeads, o.headDim]) checkSize(size, 'a size of attention')
  demand(o.heads % o.kvHeads === 0, `${o.kvHeads} heads of keys do not divide ${o.heads} heads`)
  const { left, right } = contractionSizes(kind, o)
  for (const [l, r] of terms)
    demand(
      l.length === left && r.length === right,
      `${kind} of ${l.length} by ${r.length} lanes, not ${left} by ${right}`,
    )
}

/**
 * Calls `each` for every row, position that it sees, and head, in the order of pairs: see
 * `ContractionKernels.contract`.
 */
export function everyPair(o: Contraction, each: (pair: number, left: number, right: number) => void): void {
  const { rows, seen, step, heads, kvHeads, headDim } = o
  for (let r = 0, pair = 0; r < rows; r++)
    for (let j = 0; j < seen + r * step; j++)
      for (let head = 0; head < heads; head++, pair++)
        each(
          pair,
          (r * heads + head) * headDim,
          (j * kvHeads + Math.floor((head * kvHeads) / heads)) * headDim,
        )
}

/** out[at] += x[a..a+n) · y[b..b+n). A function of its own, so that engines keep its lanes in machine words. */
function dot(
  n: number,
  x: BigUint64Array,
  a: number,
  y: BigUint64Array,
  b: number,
  out: BigUint64Array,
  at: number,
): void {
  for (let i = 0; i < n; i++) out[at] = BigInt.asUintN(64, out[at] + BigInt.asUintN(64, x[a + i] * y[b + i]))
}

/** out[a..a+n) += x[at] y[b..b+n). */
function scaleInto(
  n: number,
  x: BigUint64Array,
  at: number,
  y: BigUint64Array,
  b: number,
  out: BigUint64Array,
  a: number,
): void {
  for (let i = 0; i < n; i++)
    out[a + i] = BigInt.asUintN(64, out[a + i] + BigInt.asUintN(64, x[at] * y[b + i]))
}

/** `ContractionKernels.contract` in plain loops. */
export function plainContract<W extends LaneWidth = 64>(
  kind: 'scores' | 'mix',
  terms: readonly ContractionTerm[],
  o: Contraction,
  width: W = 64 as W,
): LaneArray<W> {
  checkContraction(kind, terms, o)
  const out = new BigUint64Array(contractionSizes(kind, o).out)
  for (const term of terms) {
    const [l, r] = term.map(widened)
    if (kind === 'scores') everyPair(o, (pair, a, b) => dot(o.headDim, l, a, r, b, out, pair))
    else everyPair(o, (pair, a, b) => scaleInto(o.headDim, l, pair, r, b, out, a))
  }
  return narrowed(out, width)
}
