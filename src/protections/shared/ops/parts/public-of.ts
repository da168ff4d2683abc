import { widened } from '../../../../kernels/lanes.ts'
import type { OracleContext } from '../../context.ts'
import { type LaneBits, type Lanes, maskOf } from '../../ring.ts'
import type { Opened } from '../../values.ts'

/** The public D of an opened value as the oracle knows it: from the plain value and the mask. */
export function publicOf(ctx: Pick<OracleContext, 'get' | 'mask'>, x: Opened<LaneBits>): Lanes {
  const value = widened(ctx.get(x))
  const a = ctx.mask(x)
  const m = maskOf(x.ring)
  const out = new BigUint64Array(value.length)
  for (let i = 0; i < out.length; i++)
    out[i] = BigInt.asUintN(64, BigInt.asUintN(64, value[i] - a[i]) + x.offset) & m
  return out
}
