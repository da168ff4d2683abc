import type { Ring } from '../wasm/module.ts'
import { EXACT_K, type PlaneProduct } from './planes.ts'

/**
 * Rows from .. from + k of a right-hand operand of n columns: its signed byte planes [k x n], low bytes first, one
 * below the other.
 */
export interface PlaneTile {
  readonly from: number
  readonly k: number
  readonly planes: Int8Array
}

/** Most rows of a tile of so many planes: a sum over all of them stays exact in 32 bits. */
export const mostRows = (planes: number): number => Math.floor(EXACT_K / planes)

/** The product is a [m x k] times B [k x n] mod 2^bits. */
export interface PlaneShape {
  readonly m: number
  readonly k: number
  readonly n: number
  readonly bits: number
  /** What the planes leave out of every element of B. */
  readonly bias: bigint
  /** [m x n], added to the product. */
  readonly plus?: BigUint64Array
}

/**
 * Product by byte planes: y = sum over p, q of A_p B_q 2^(8(p+q)), leaving out the pairs that land above `bits`, plus
 * the constant that B's planes leave out. With A's planes side by side, in reverse, and B's one below the other, one
 * 8-bit product sums all pairs of the same p + q.
 * @param tiles B, taken one after another: each may be made in the memory of the one before.
 */
export async function planeMatmul(
  ring: Ring,
  multiply: PlaneProduct,
  a: BigUint64Array,
  { m, k, n, bits, bias, plus }: PlaneShape,
  tiles: Iterable<PlaneTile>,
): Promise<BigUint64Array> {
  const { x, arena } = ring
  const count = Math.ceil(bits / 8)
  const left = bytePlanes(ring, a, count)
  const size = m * n
  // The caller may reuse `a` while this waits. Addition works on pairs, hence the spare words.
  const [sum, part, kept] = [0, size * 8 + 8, Math.ceil((size * 12 + 16) / 8) * 8]
  const block = arena.alloc(kept + a.byteLength)
  try {
    // Every view is made anew after waiting, when the memory may have grown.
    new BigUint64Array(arena.memory.buffer, block + kept, a.length).set(a)
    const start = new BigUint64Array(arena.memory.buffer, block + sum, size)
    if (plus) start.set(plus)
    else start.fill(0n)
    for (const { from, k: rows, planes } of tiles) {
      const height = planes.length / (rows * n)
      for (let s = 0; s < count; s++) {
        const pairs = Math.min(s + 1, height)
        const beside = sideBySide(left, m, k, from, rows, s, pairs)
        const y = await multiply(beside, m, pairs * rows, planes.subarray(0, pairs * rows * n), n)
        new Int32Array(arena.memory.buffer, block + part, size).set(y)
        x.addPlane(block + sum, block + part, size, 8 * s)
      }
    }
    x.finish(block + sum, m, n, n, bits, bias, block + kept, k)
    return new BigUint64Array(arena.memory.buffer, block + sum, size).slice()
  } finally {
    arena.free(block)
  }
}

/** Columns from .. from + width of planes s, s - 1, ... of m x k each, beside each other: [m x pairs * width]. */
function sideBySide(
  planes: Uint8Array,
  m: number,
  k: number,
  from: number,
  width: number,
  s: number,
  pairs: number,
): Uint8Array {
  const out = new Uint8Array(m * pairs * width)
  for (let r = 0, to = 0; r < m; r++)
    for (let i = 0; i < pairs; i++, to += width) {
      const at = ((s - i) * m + r) * k + from
      out.set(planes.subarray(at, at + width), to)
    }
  return out
}

/** Unsigned byte planes of `a`, one after the other, low bytes first. */
function bytePlanes(ring: Ring, a: BigUint64Array, planes: number): Uint8Array {
  const { x, arena } = ring
  const block = arena.alloc(a.length * (8 + planes))
  new BigUint64Array(arena.memory.buffer, block, a.length).set(a)
  const out = block + a.length * 8
  x.splitBytes(block, a.length, planes, out)
  const result = new Uint8Array(arena.memory.buffer, out, a.length * planes).slice()
  arena.free(block)
  return result
}
