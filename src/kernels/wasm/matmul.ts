import type { WasmMatrix } from './matrix.ts'
import type { Ring } from './module.ts'

/** How one combination of storage and ring runs: the limbs of a (assembly/limbs.ts), and the product. */
interface Plan {
  /** Limbs of an element of a, of which the first `narrow` have 12 bits; none where a is taken as it is. */
  readonly limbs: number
  readonly narrow: number
  multiply(a: number, m: number, b: number, k: number, panels: number, out: number): void
}

function plan({ x }: Ring, { width }: WasmMatrix, bits: number): Plan {
  if (width === 8) return { limbs: 0, narrow: 0, multiply: x.mul64 }
  if (width === 1) {
    // Bytes leave room for sums of limbs of 16 bits.
    if (bits > 32) return { limbs: 4, narrow: 0, multiply: x.mul8x64 }
    return bits > 16
      ? { limbs: 2, narrow: 0, multiply: x.mul8x32 }
      : { limbs: 1, narrow: 0, multiply: x.mul8x16 }
  }
  if (bits <= 16 && width === 2) return { limbs: 1, narrow: 0, multiply: x.mul16x16 }
  if (bits <= 32 && width !== 6)
    return { limbs: 2, narrow: 0, multiply: width === 2 ? x.mul16x32 : x.mul32x32 }
  if (bits <= 44)
    return { limbs: 3, narrow: 1, multiply: { 2: x.mul16x44, 4: x.mul32x44, 6: x.mul48x44 }[width] }
  return { limbs: 5, narrow: 3, multiply: { 2: x.mul16x64, 4: x.mul32x64, 6: x.mul48x64 }[width] }
}

/** a [m x k] times b mod 2^bits. Arguments are checked by the caller. */
export function wasmMatmul(
  ring: Ring,
  a: BigUint64Array,
  m: number,
  b: WasmMatrix,
  bits: number,
): BigUint64Array {
  const { x, arena } = ring
  const { k, n, stride, panels } = b
  const address = b.address
  if (m === 0 || n === 0) return new BigUint64Array(0)
  if (k === 0) return new BigUint64Array(m * n)
  const { limbs, narrow, multiply } = plan(ring, b, bits)
  const pairs = Math.ceil(k / 2)
  const prepared = pairs * limbs * 4
  const aBytes = m * k * 8
  // one block for a, prepared a and the result: the views below are made after it, so growth cannot detach them
  const block = arena.alloc(aBytes + 64 + m * prepared + 64 + m * stride * 8)
  const ready = limbs ? Math.ceil((block + aBytes) / 64) * 64 : block
  const out = Math.ceil((limbs ? ready + m * prepared : block + aBytes) / 64) * 64
  new BigUint64Array(arena.memory.buffer, block, m * k).set(a)
  if (limbs)
    for (let r = 0; r < m; r++) x.splitPairs(block + r * k * 8, k, narrow, limbs, ready + r * prepared)
  multiply(ready, m, address, limbs ? pairs : k, panels, out)
  x.finish(out, m, n, stride, bits, b.restBias, block, k)
  const result = new BigUint64Array(arena.memory.buffer, out, m * n).slice()
  arena.free(block)
  return result
}
