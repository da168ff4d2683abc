import type { Ring } from '../wasm/module.ts'
import { LeftDigits } from './left.ts'
import { type DigitProduct, type Digits, operandsOf, type ProductKind } from './products.ts'
import { leftDigits, type Scheme } from './scheme.ts'

/** Rows from .. from + k of a right-hand operand of n columns: its digits [k x n], low ones first, one below the other. */
export interface RightTile {
  readonly from: number
  readonly k: number
  readonly digits: Digits
}

/** The product is a [m x k] times B [k x n] mod 2^scheme.bits. */
export interface DigitShape {
  readonly m: number
  readonly k: number
  readonly n: number
  readonly scheme: Scheme
  /** What the digits leave out of every element of B. */
  readonly bias: bigint
  /** [m x n], added to the product. */
  readonly plus?: BigUint64Array
}

/** Sums that one call of the runtime returns, in bytes. */
const PARTS_BYTES = 16 << 20

/**
 * Product by digits: y = sum over pairs of digits p of A and q of B of A_p B_q 2^(their shifts), leaving out the pairs that
 * land above the ring, plus the constant that B's digits leave out. All digits of A that meet a digit of B are multiplied at
 * once, one below the other, so that the runtime lays B's out only once.
 * @param tiles B, taken one after another: each may be made in the memory of the one before.
 */
export async function digitMatmul(
  ring: Ring,
  kind: ProductKind,
  multiply: DigitProduct,
  a: BigUint64Array,
  { m, k, n, scheme, bias, plus }: DigitShape,
  tiles: Iterable<RightTile>,
): Promise<BigUint64Array> {
  const { x, arena } = ring
  const { bits, digits } = scheme
  const left = new LeftDigits(ring, kind, a, m, k, bits)
  const { sums } = operandsOf[kind]
  const addParts = sums === Int32Array ? x.addParts32 : x.addParts64
  const size = m * n
  const most = Math.max(1, Math.floor(PARTS_BYTES / (size * sums.BYTES_PER_ELEMENT)))
  const group = Math.min(most, Math.max(...digits.map((_, q) => leftDigits(scheme, q))))
  // Addition works on pairs, hence the spare words.
  const parts = size * 8 + 16
  const kept = Math.ceil((parts + size * group * sums.BYTES_PER_ELEMENT + 16) / 16) * 16
  const block = arena.alloc(kept + a.byteLength)
  try {
    // Every view is made anew after waiting, when the memory may have grown.
    new BigUint64Array(arena.memory.buffer, block + kept, a.length).set(a)
    const start = new BigUint64Array(arena.memory.buffer, block, size)
    if (plus) start.set(plus)
    else start.fill(0n)
    for (const tile of tiles) {
      const area = tile.k * n
      for (const [q, { shift, left: width }] of digits.entries()) {
        const right = tile.digits.subarray(q * area, (q + 1) * area)
        const count = leftDigits(scheme, q)
        for (let first = 0; first < count; first += group) {
          const here = Math.min(group, count - first)
          const y = await multiply(
            left.stack(width, first, here, tile.from, tile.k),
            here * m,
            tile.k,
            right,
            n,
          )
          new sums(arena.memory.buffer, block + parts, size * here).set(y as never)
          addParts(block, block + parts, size, here, shift + first * width, width)
        }
      }
    }
    x.finish(block, m, n, n, bits, bias, block + kept, k)
    return new BigUint64Array(arena.memory.buffer, block, size).slice()
  } finally {
    arena.free(block)
  }
}
