import type { WasmMatrix } from './matrix.ts'
import type { Ring } from './module.ts'

/** How one combination of storage and ring runs: the form of a, and the product. */
interface Plan {
  /** Bytes of prepared a for each row. */
  prepared: number
  prepare(from: number, to: number): void
  multiply(a: number, m: number, b: number, k: number, panels: number, out: number): void
  /** k as the product counts it: row pairs or rows. */
  steps: number
}

function plan(ring: Ring, b: WasmMatrix, bits: number): Plan {
  const { x } = ring
  const { k, width } = b
  const size = bits <= 16 ? 16 : bits <= 32 ? 32 : 64
  const pairs = Math.ceil(k / 2)
  if (width === 8) return { prepared: 0, prepare: () => {}, multiply: x.mul64, steps: k }
  if (width === 4 || (width === 2 && size === 64)) {
    const prepare = (from: number, to: number) => x.splitWords(from, k, to)
    if (width === 4) {
      return { prepared: k * 8, prepare, multiply: size === 64 ? x.mul32x64 : x.mul32x32, steps: k }
    }
    // the second row of an odd last pair is zero in B, so whatever a's missing element reads as does no harm
    return { prepared: pairs * 16, prepare, multiply: x.mul16x64, steps: pairs }
  }
  const limbs = size / 16
  const multiply =
    width === 1
      ? { 16: x.mul8x16, 32: x.mul8x32, 64: x.mul8x64 }[size]
      : { 16: x.mul16x16, 32: x.mul16x32, 64: x.mul16x64 }[size]
  const prepare = (from: number, to: number) => x.splitPairs(from, k, limbs, to)
  return { prepared: pairs * limbs * 4, prepare, multiply, steps: pairs }
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
  const { prepared, prepare, multiply, steps } = plan(ring, b, bits)
  const aBytes = m * k * 8
  // one block for a, prepared a and the result: the views below are made after it, so growth cannot detach them
  const block = arena.alloc(aBytes + 64 + m * prepared + 64 + m * stride * 8)
  const ready = prepared ? Math.ceil((block + aBytes) / 64) * 64 : block
  const out = prepared ? Math.ceil((ready + m * prepared) / 64) * 64 : Math.ceil((block + aBytes) / 64) * 64
  new BigUint64Array(arena.memory.buffer, block, m * k).set(a)
  if (prepared) for (let r = 0; r < m; r++) prepare(block + r * k * 8, ready + r * prepared)
  multiply(ready, m, address, steps, panels, out)
  x.finish(out, m, n, stride, bits, b.bias, block, k)
  const result = new BigUint64Array(arena.memory.buffer, out, m * n).slice()
  arena.free(block)
  return result
}
