import { checkPolynomials, type PolynomialKernels, type PolynomialSpec } from '../polynomials.ts'
import type { Ring } from './module.ts'

function polynomials(
  ring: Ring,
  points: BigUint64Array,
  words: BigUint64Array,
  o: PolynomialSpec,
): BigUint64Array {
  const { n, groups, shift, scale } = o
  /** Words of a point. */
  const stride = checkPolynomials(points, words, o)
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

/** Chebyshev sums by the module. */
export const wasmPolynomials = (ring: Ring): PolynomialKernels => ({
  polynomials: (points, words, o) => polynomials(ring, points, words, o),
})
