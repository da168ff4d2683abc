import { program, type Value } from '../../../kernels/program.ts'
import type { PlanBuilder } from '../plan.ts'
import { type Lanes, maskOf, shiftRight } from '../ring.ts'
import { finer } from '../scale.ts'
import { type Share, share } from '../values.ts'
import { perRole } from './parts/operands.ts'

/**
 * Drops the low t bits of each share; the ring shrinks with them, so nothing can wrap. The owner rounds down and the
 * server up: unbiased, within one unit, and never below the floor. SecureML (2017, theorem 1) truncates shares likewise
 * but keeps the ring, where a wrap may ruin the result. Same layout, mod 2^ring, t fraction bits fewer. No message.
 * Throws `RangeError` where what is left does not hold Z_2^ring.
 *
 * `range` says what the result's ring must hold, for the oracle to check: `modular` promises nothing.
 */
export function truncate(
  plan: PlanBuilder,
  x: Share,
  t: number,
  ring = x.ring - t,
  range: 'signed' | 'unsigned' | 'modular' = 'signed',
): Share {
  if (t < 0 || ring < 1 || ring > x.ring - t)
    throw new RangeError(`truncate: Z_2^${x.ring} less ${t} bits does not hold Z_2^${ring}`)
  const rounded = perRole((role) =>
    program<[Lanes]>((p) => {
      const floor = (v: Value): Value => p.shr(v, t)
      // 2^64 - 1 is below all others: where x is 0, what wraps is above the ring.
      const y = role === 'owner' ? floor(p.lanes()) : p.plus(floor(p.plus(p.lanes(), -1n)), 1n)
      return [p.out(p.reduce(y, ring))]
    }),
  )
  return plan.step<Share>('truncate', share({ ...x, ring, scale: finer(x.scale, -t) }), [x], (id) => ({
    run: (ctx) => ctx.kernels.evaluate(rounded(ctx.role), [ctx.get(x)], ctx.get(x).length)[0],
    oracle(ctx) {
      const value = ctx.get(x)
      const owner = ctx.ownerShare(x)
      const m = maskOf(x.ring)
      const server = new BigUint64Array(value.length)
      for (let i = 0; i < server.length; i++) server[i] = BigInt.asUintN(64, value[i] - owner[i]) & m
      const low = shiftRight(owner, t)
      const high = shiftRight(server, t)
      const out = maskOf(ring)
      const dropped = maskOf(t)
      for (let i = 0; i < low.length; i++) {
        const up = (server[i] & dropped) > 0n ? 1n : 0n
        low[i] = BigInt.asUintN(64, low[i] + high[i] + up) & out
        if (range === 'modular') continue
        const isSigned = range === 'signed'
        const exact = (isSigned ? BigInt.asIntN(x.ring, value[i]) : value[i]) >> BigInt(t)
        const got = isSigned ? BigInt.asIntN(ring, low[i]) : low[i]
        if (got !== exact && got !== exact + 1n) ctx.violation(id, 'a truncated value does not fit its ring')
      }
      return low
    },
  }))
}
