import type { PlanBuilder, Share } from '../plan.ts'
import { halfMasks, type Lanes, maskOf } from '../ring.ts'

/** floor(x / 2^t) of a share at the owner, ceil at the server. By 32-bit halves, in one pass: see `shiftRight`. */
function round(x: Lanes, t: number, ring: number, up: boolean): Lanes {
  const out = new BigUint64Array(x.length)
  const from = new Uint32Array(x.buffer, x.byteOffset, 2 * x.length)
  const to = new Uint32Array(out.buffer)
  const [low, high] = halfMasks(ring)
  const [below, belowHigh] = halfMasks(t)
  const one = up ? 1 : 0
  const [isWide, by] = [t >= 32, t % 32]
  for (let i = 0; i < to.length; i += 2) {
    const a = from[i]
    const b = from[i + 1]
    const more = ((a & below) | (b & belowHigh)) === 0 ? 0 : one
    // A shift by 32 - 0 would be none at all, so it is made in two.
    const sum = ((isWide ? b >>> by : (a >>> by) | ((b << 1) << (31 - by))) >>> 0) + more
    to[i] = sum & low
    to[i + 1] = ((isWide ? 0 : b >>> by) + (sum > 0xffffffff ? 1 : 0)) & high
  }
  return out
}

/**
 * Drops the low t bits of each share; the ring shrinks with them, so nothing can wrap. The owner rounds down and the
 * server up: unbiased, within one unit, and never below the floor. No message.
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
  const { layout, width } = x
  return plan.step<Share>(
    'truncate',
    { kind: 'share', layout, width, frac: x.frac - t, ring },
    [x],
    (id) => ({
      run: (ctx) => round(ctx.get(x), t, ring, ctx.role === 'server'),
      plain(ctx) {
        const value = ctx.get(x)
        const owner = ctx.ownerShare(x)
        const m = maskOf(x.ring)
        const server = new BigUint64Array(value.length)
        for (let i = 0; i < server.length; i++) server[i] = BigInt.asUintN(64, value[i] - owner[i]) & m
        const low = round(owner, t, ring, false)
        const high = round(server, t, ring, true)
        const out = maskOf(ring)
        for (let i = 0; i < low.length; i++) {
          low[i] = BigInt.asUintN(64, low[i] + high[i]) & out
          if (range === 'modular') continue
          const isSigned = range === 'signed'
          const exact = (isSigned ? BigInt.asIntN(x.ring, value[i]) : value[i]) >> BigInt(t)
          const got = isSigned ? BigInt.asIntN(ring, low[i]) : low[i]
          if (got !== exact && got !== exact + 1n)
            ctx.violation(id, 'a truncated value does not fit its ring')
        }
        return low
      },
    }),
  )
}
