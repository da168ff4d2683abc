import type { PolynomialSpec } from '../kernels.ts'
import type { Ring } from './module.ts'

/** See `Kernels.polynomials`; `stride` is the words of a point. */
export function wasmPolynomials(
  ring: Ring,
  points: BigUint64Array,
  words: BigUint64Array,
  stride: number,
  { n, groups, shift, scale }: PolynomialSpec,
): BigUint64Array {
  const { x, arena } = ring
  const count = points.length
  const block = arena.alloc(8 * (count + count * stride + 2 * n + count * groups))
  const from = block + 8 * count
  const basis = from + 8 * count * stride
  const to = basis + 16 * n
  new BigUint64Array(arena.memory.buffer, block, count).set(points)
  new BigUint64Array(arena.memory.buffer, from, count * stride).set(words)
  x.polynomials(block, count, shift, 2 ** scale, from, stride, n, groups, basis, to)
  const out = new BigUint64Array(arena.memory.buffer, to, count * groups).slice()
  arena.free(block)
  return out
}
