import type { Kernels } from '../../kernels/kernels.ts'
import type { Lanes } from '../ring.ts'

/** a [m x k] times b [k x n] mod 2^64, for a b that is used once. */
export function clearProduct(kernels: Kernels, a: Lanes, m: number, b: Lanes, k: number, n: number): Lanes {
  const matrix = kernels.load(b, k, n)
  try {
    return kernels.matmul(a, m, matrix, 64)
  } finally {
    matrix.free()
  }
}
