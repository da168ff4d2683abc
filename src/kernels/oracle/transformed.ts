import { checkTransformed, type TransformKernels } from '../transformed.ts'

/** Transformed tables, entry by entry. */
export const oracleTransformed: TransformKernels = {
  transformed(samples, matrix, n, scale) {
    checkTransformed(samples, matrix, n)
    return BigUint64Array.from(samples, (_, i) => {
      let sum = 0
      for (let j = 0; j < n; j++) sum += matrix[(i % n) * n + j] * samples[i - (i % n) + j]
      return BigInt(Math.round(sum * scale))
    })
  },
}
