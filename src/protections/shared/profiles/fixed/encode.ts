/** Lowered weights as the integers that the plan multiplies by. */

import { fromFloats, type Lanes } from '../../ring.ts'
import type { EncodedWeight } from '../../weights/held.ts'
import { WeightError } from './errors.ts'
import type { LoweredBias, LoweredMatrix } from './lower.ts'

/** Round(W 2^frac) in the narrowest signed type that holds it. Throws `WeightError` beyond 32 bits. */
export function encodeMatrix(m: LoweredMatrix, frac: number): EncodedWeight {
  const scale = 2 ** frac
  let most = 0
  for (const v of m.data) most = Math.max(most, Math.abs(v))
  const limit = Math.round(most * scale)
  if (!(limit < 2 ** 31))
    throw new WeightError(m.name, `reaches ${most}, too large for ${frac} fraction bits`)
  const out = limit < 2 ** 15 ? new Int16Array(m.data.length) : new Int32Array(m.data.length)
  for (let i = 0; i < out.length; i++) out[i] = Math.round(m.data[i] * scale)
  return out
}

/** A bias row at `frac` fraction bits, mod 2^64. */
export const encodeBias = (b: LoweredBias, frac: number): Lanes =>
  fromFloats(b.data.map((v) => Math.round(v * 2 ** frac)))
