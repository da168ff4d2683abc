/** The two products of attention on lanes in the clear of one party: queries by keys, weights by values. */
import { firstRow, type Layout, rowsOf, type Shape, span, spanOf } from '../plan.ts'
import type { Lanes } from '../ring.ts'

export interface Heads {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
}

/** What a contraction needs of a party, the dealer or the oracle. */
export interface Multiplier {
  readonly shape: Shape
  product(a: Lanes, m: number, b: Lanes, k: number, n: number): Lanes
}

/** Rows from which a matrix product for each head pays for putting its operands together. */
const MANY_ROWS = 8

/**
 * Calls `each(pair, row, cached)` for every row, position that it sees, and head: the index of the pair, and where the
 * head's columns start in the row and in the cached row.
 */
export function everyPair(
  shape: Shape,
  layout: Layout,
  h: Heads,
  each: (pair: number, row: number, cached: number) => void,
): void {
  const { heads, kvHeads, headDim } = h
  const group = heads / kvHeads
  const first = firstRow(shape, layout)
  for (let r = first, pair = 0; r < shape.rows; r++)
    for (let j = 0; j < span(shape, r); j++)
      for (let head = 0; head < heads; head++)
        each(
          pair++,
          ((r - first) * heads + head) * headDim,
          (j * kvHeads + Math.floor(head / group)) * headDim,
        )
}

/** out[at] += x[a..a+n) · y[b..b+n). A function of its own, so that engines keep its lanes in machine words. */
function dot(n: number, x: Lanes, a: number, y: Lanes, b: number, out: Lanes, at: number): void {
  for (let i = 0; i < n; i++) out[at] = BigInt.asUintN(64, out[at] + BigInt.asUintN(64, x[a + i] * y[b + i]))
}

/** out[a..a+n) += x[at] y[b..b+n). */
function scaleInto(n: number, x: Lanes, at: number, y: Lanes, b: number, out: Lanes, a: number): void {
  for (let i = 0; i < n; i++)
    out[a + i] = BigInt.asUintN(64, out[a + i] + BigInt.asUintN(64, x[at] * y[b + i]))
}

/** out[pair] += q[row] · k[position], mod 2^64. */
export function scoresInto(ctx: Multiplier, layout: Layout, h: Heads, q: Lanes, k: Lanes, out: Lanes): void {
  const { shape } = ctx
  const rows = rowsOf(shape, layout === 'lastPair' ? 'last' : 'row')
  if (rows < MANY_ROWS) {
    everyPair(shape, layout, h, (at, a, b) => dot(h.headDim, q, a, k, b, out, at))
    return
  }
  const { heads, headDim } = h
  const seen = spanOf(shape)
  for (let head = 0; head < heads; head++) {
    const own = columns(q, rows, heads * headDim, head * headDim, headDim)
    const product = ctx.product(own, rows, keysOf(k, seen, h, head), headDim, seen)
    for (let r = 0, pair = head; r < rows; r++)
      for (let j = 0, end = span(shape, r); j < end; j++, pair += heads)
        out[pair] = BigInt.asUintN(64, out[pair] + product[r * seen + j])
  }
}

/** out[row] += p[pair] v[position], mod 2^64. */
export function mixInto(ctx: Multiplier, layout: Layout, h: Heads, p: Lanes, v: Lanes, out: Lanes): void {
  const { shape } = ctx
  const rows = rowsOf(shape, layout)
  if (rows < MANY_ROWS) {
    everyPair(shape, layout, h, (at, a, b) => scaleInto(h.headDim, p, at, v, b, out, a))
    return
  }
  const { heads, kvHeads, headDim } = h
  const seen = spanOf(shape)
  const weights = new BigUint64Array(rows * seen)
  for (let head = 0; head < heads; head++) {
    weights.fill(0n)
    for (let r = 0, pair = head; r < rows; r++)
      for (let j = 0, end = span(shape, r); j < end; j++, pair += heads) weights[r * seen + j] = p[pair]
    const from = Math.floor((head * kvHeads) / heads) * headDim
    const own = columns(v, seen, kvHeads * headDim, from, headDim)
    const product = ctx.product(weights, rows, own, seen, headDim)
    for (let r = 0; r < rows; r++)
      for (let i = 0, to = (r * heads + head) * headDim; i < headDim; i++, to++)
        out[to] = BigInt.asUintN(64, out[to] + product[r * headDim + i])
  }
}

/** Columns from..from+n-1 of [rows x width]. */
function columns(x: Lanes, rows: number, width: number, from: number, n: number): Lanes {
  const out = new BigUint64Array(rows * n)
  for (let r = 0; r < rows; r++) out.set(x.subarray(r * width + from, r * width + from + n), r * n)
  return out
}

/** A head's keys, transposed: headDim x positions. */
function keysOf(k: Lanes, seen: number, { heads, kvHeads, headDim }: Heads, head: number): Lanes {
  const out = new BigUint64Array(headDim * seen)
  const width = kvHeads * headDim
  const from = Math.floor((head * kvHeads) / heads) * headDim
  for (let j = 0; j < seen; j++)
    for (let i = 0, at = j * width + from; i < headDim; i++, at++) out[i * seen + j] = k[at]
  return out
}
