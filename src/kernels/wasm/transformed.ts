import { checkTransformed, type TransformKernels } from '../transformed.ts'
import type { Ring } from './module.ts'

function transformed(
  ring: Ring,
  samples: Float64Array,
  matrix: Float64Array,
  n: number,
  scale: number,
): BigUint64Array {
  checkTransformed(samples, matrix, n)
  const { x, arena } = ring
  /** Elements of a column, which are read two at a time. */
  const stride = n + (n % 2)
  const block = arena.alloc(8 * (2 * samples.length + n * stride + 1))
  const from = block + 8 * n * stride
  const out = from + 8 * samples.length
  const columns = new Float64Array(arena.memory.buffer, block, n * stride).fill(0)
  for (let k = 0; k < n; k++) for (let j = 0; j < n; j++) columns[j * stride + k] = matrix[k * n + j]
  new Float64Array(arena.memory.buffer, from, samples.length).set(samples)
  x.transformed(from, samples.length / n, n, block, scale, out)
  const result = new BigUint64Array(arena.memory.buffer, out, samples.length).slice()
  arena.free(block)
  return result
}

/** Transformed tables by the module. */
export const wasmTransformed = (ring: Ring): TransformKernels => ({
  transformed: (samples, matrix, n, scale) => transformed(ring, samples, matrix, n, scale),
})
