import { PredictableRandom } from '../src/model/random.ts'

/** `n` samples of N(0, std^2), the same for the same seed. */
export function normals(n: number, seed: number, std = 1): Float64Array {
  const random = new PredictableRandom(seed)
  return Float64Array.from({ length: n }, () => std * random.normal())
}

/** The largest magnitude, 0 of no values. */
export const largest = (values: Float64Array): number => values.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
