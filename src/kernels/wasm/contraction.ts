import {
  type Contraction,
  type ContractionKernels,
  type ContractionTerm,
  checkContraction,
  contractionPairs,
  contractionSizes,
} from '../contraction.ts'
import { type LaneArray, type LaneWidth, laneArray, widened, widthOf } from '../lanes.ts'
import type { Ring } from './module.ts'

/** Columns of a head are padded to so many bytes: two vectors. */
const PADDING = 32

/** All heads at once, in lanes of 64 bits. */
function wide(
  ring: Ring,
  kind: 'scores' | 'mix',
  terms: readonly ContractionTerm[],
  o: Contraction,
): BigUint64Array {
  const { x, arena } = ring
  const { left, right, out } = contractionSizes(kind, o)
  // A row's columns are read in pairs: room for one past the last.
  const block = arena.alloc(8 * (left + right + out) + 8)
  const sum = new BigUint64Array(arena.memory.buffer, block, out).fill(0n)
  const [a, b] = [block + 8 * out, block + 8 * (out + left)]
  const run = kind === 'scores' ? x.contractScores : x.contractMix
  for (const [l, r] of terms) {
    new BigUint64Array(arena.memory.buffer, a, left).set(widened(l))
    new BigUint64Array(arena.memory.buffer, b, right).set(widened(r))
    run(a, b, block, o.rows, o.seen, o.step, o.heads, o.kvHeads, o.headDim)
  }
  const result = sum.slice()
  arena.free(block)
  return result
}

/** How an operand, or the result, lies among the heads: `rows` rows of `dim` columns each, in `padded` lanes. */
interface Layout {
  readonly rows: number
  readonly heads: number
  readonly dim: number
  readonly padded: number
}

const lanesIn = ({ rows, heads, padded }: Layout): number => rows * heads * padded

/** Where operands and result lie, once each head is by itself. */
function layouts(
  kind: 'scores' | 'mix',
  o: Contraction,
  bytes: number,
): Record<'left' | 'right' | 'out', Layout> {
  const { rows, seen, step, heads, kvHeads, headDim: dim } = o
  const whole = PADDING / bytes
  const padded = Math.ceil(dim / whole) * whole
  const columns = { rows, heads, dim, padded }
  const pairs = { rows: contractionPairs(o), heads, dim: 1, padded: 1 }
  const right = { rows: rows === 0 ? 0 : seen + step * (rows - 1), heads: kvHeads, dim, padded }
  return kind === 'scores' ? { left: columns, right, out: pairs } : { left: pairs, right, out: columns }
}

/** Head by head, in lanes of 16 or 32 bits. */
function narrow<W extends 16 | 32>(
  ring: Ring,
  kind: 'scores' | 'mix',
  terms: readonly ContractionTerm[],
  o: Contraction,
  width: W,
): LaneArray<W> {
  const { x, arena } = ring
  const bytes = width / 8
  const { left, right, out } = layouts(kind, o, bytes)
  const sizes = contractionSizes(kind, o)
  const end = (at: number, layout: Layout): number => Math.ceil((at + bytes * lanesIn(layout)) / 64) * 64
  // Operands as they come go where the result is put together later.
  const staged = 8 * Math.max(sizes.left, sizes.right, sizes.out)
  const block = arena.alloc(staged + bytes * (lanesIn(left) + lanesIn(right) + lanesIn(out)) + 256)
  const a = Math.ceil((block + staged) / 64) * 64
  const b = end(a, left)
  const sums = end(b, right)
  laneArray(width, lanesIn(out), arena.memory.buffer, sums).fill(0 as never)
  const gather = (lanes: LaneArray, { rows, heads, dim, padded }: Layout, to: number): void => {
    const from = widthOf(lanes)
    laneArray(from, lanes.length, arena.memory.buffer, block).set(lanes as never)
    x.gatherHeads(block, from, width, rows, heads, dim, padded, to)
  }
  const run = kind === 'scores' ? x.narrowScores : x.narrowMix
  const [perLeft, perRight, perOut] = [left, right, out].map((l) => bytes * l.rows * l.padded)
  for (const [l, r] of terms) {
    gather(l, left, a)
    gather(r, right, b)
    for (let head = 0; head < o.heads; head++) {
      const shared = b + Math.floor((head * o.kvHeads) / o.heads) * perRight
      const row = bytes * right.padded
      run(width, a + head * perLeft, shared, sums + head * perOut, o.rows, o.seen, o.step, row)
    }
  }
  x.scatterHeads(sums, width, out.rows, out.heads, out.dim, out.padded, block)
  const result = laneArray(width, sizes.out, arena.memory.buffer, block).slice() as LaneArray<W>
  arena.free(block)
  return result
}

/** Attention's products by the module. */
export const wasmContraction = (ring: Ring): ContractionKernels => ({
  contract<W extends LaneWidth = 64>(
    kind: 'scores' | 'mix',
    terms: readonly ContractionTerm[],
    o: Contraction,
    width: W = 64 as W,
  ): LaneArray<W> {
    checkContraction(kind, terms, o)
    if (width === 64) return wide(ring, kind, terms, o) as LaneArray<W>
    return narrow(ring, kind, terms, o, width as 16 | 32) as LaneArray<W>
  },
})
