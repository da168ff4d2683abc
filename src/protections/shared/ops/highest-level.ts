import type { Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { bitsAt, type Lanes } from '../ring.ts'
import { UNSCALED } from '../scale.ts'
import { rowsOf } from '../shape.ts'
import { type Opened, type Share, share } from '../values.ts'

/**
 * For every row and head the number of levels that at least one position reaches, i.e. the highest bin in use: rows x
 * heads, mod 2^8, by one dealt table per count. No message.
 */
export function highestLevel(plan: PlanBuilder, N: Opened, heads: number): Share {
  const levels = N.width / heads
  const entries = 1 << N.ring
  const { layout } = N
  const slot: Slot = { name: 'positive', layout, width: N.width, bits: 8, entries, words: 1 }
  const sum = (rows: number, v: Lanes): Lanes => {
    const out = new BigUint64Array(rows * heads)
    for (let o = 0, i = 0; o < out.length; o++)
      for (let b = 0; b < levels; b++, i++) out[o] = BigInt.asUintN(64, out[o] + v[i]) & 255n
    return out
  }
  const type = { layout, width: heads, ring: 8, scale: UNSCALED }
  return plan.step<Share>('highestLevel', share(type), [N], (id) => ({
    slots: [slot],
    deal(ctx) {
      // The count D + a is zero at D = -a alone.
      const places = bitsAt(ctx.mask(N), 0, N.ring).map((a) => (entries - a) & (entries - 1))
      return [{ rest: 1, single: 0, places }]
    },
    run: (ctx) => sum(rowsOf(ctx.shape, layout), ctx.lookup(id, slot, bitsAt(ctx.get(N), 0, N.ring))),
    oracle: (ctx) =>
      sum(
        rowsOf(ctx.shape, layout),
        ctx.get(N).map((v) => (v > 0n ? 1n : 0n)),
      ),
  }))
}
