import type { WasmMatrix } from '../wasm/matrix.ts'
import type { Ring } from '../wasm/module.ts'
import type { PlaneProduct } from './planes.ts'

/**
 * a [m x k] times b mod 2^bits by byte planes: y = sum over p, q of A_p B_q 2^(8(p+q)), leaving out the planes
 * that land above `bits`, plus the constant that B's planes leave out. Planes of `a` are stacked as rows, so B_q needs one product with the first of them.
 * @param cache planes of b made earlier; filled on demand.
 */
export async function planeMatmul(
  ring: Ring,
  multiply: PlaneProduct,
  cache: Int8Array[],
  a: BigUint64Array,
  m: number,
  b: WasmMatrix,
  bits: number,
): Promise<BigUint64Array> {
  const { k, n, width, planeBias: bias } = b
  const count = Math.ceil(bits / 8)
  const left = bytePlanes(ring, a, count)
  // the caller may reuse `a` while this waits
  const kept = bias ? a.slice() : new BigUint64Array(0)
  const parts: { shift: number; y: Int32Array }[] = []
  for (let q = 0; q < Math.min(width, count); q++) {
    cache[q] ??= b.plane(q)
    const rows = (count - q) * m
    const y = await multiply(left.subarray(0, rows * k), rows, k, cache[q], n)
    for (let p = 0; p < count - q; p++) {
      parts.push({ shift: 8 * (p + q), y: y.subarray(p * m * n, (p + 1) * m * n) })
    }
  }
  // only now does WASM memory come in: nothing of it may be held across an await
  const { x, arena } = ring
  const size = m * n
  // addPlane works on pairs, hence the spare words
  const block = arena.alloc(size * 12 + 24 + kept.byteLength)
  const part = block + size * 8 + 8
  const again = block + Math.ceil((size * 12 + 16) / 8) * 8
  const sum = new BigUint64Array(arena.memory.buffer, block, size).fill(0n)
  const piece = new Int32Array(arena.memory.buffer, part, size)
  for (const { shift, y } of parts) {
    piece.set(y)
    x.addPlane(block, part, size, shift)
  }
  new BigUint64Array(arena.memory.buffer, again, kept.length).set(kept)
  x.finish(block, m, n, n, bits, bias, again, k)
  const result = sum.slice()
  arena.free(block)
  return result
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
