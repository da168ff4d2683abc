import type { Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { bitsAt, type Lanes } from '../ring.ts'
import { UNSCALED } from '../scale.ts'
import { firstRow, rowLayout, rowsOf, type Shape, span } from '../shape.ts'
import { type Opened, type Share, share } from '../values.ts'
import { rotatedSums } from './parts/rotated-sums.ts'

/**
 * For every row and head, N_b = number of positions whose bin is at least b, b = 1..bins-1: rows x heads·(bins-1), mod
 * 2^ring. `c` holds the bins (pairs x heads, opened mod `bins`). The dealer gives an additive one-hot of c's mask, a
 * one-time table (Ishai et al. 2013, TCC) of the identity; rotated by the public D it is the one-hot of the bin, and
 * its suffix sums count. No message.
 */
export function thermometer(plan: PlanBuilder, c: Opened, ring: number): Share {
  const bins = 1 << c.ring
  const heads = c.width
  const width = heads * (bins - 1)
  const layout = rowLayout(c.layout)
  // 2^ring divides 2^8, so short counts may be shared as bytes, which need no packing.
  const isNarrow = ring <= 8
  const bits = isNarrow ? 8 : ring
  const slot: Slot = { name: 'onehot', layout: c.layout, width: heads, bits, words: bins }
  const m = 2 ** ring - 1
  /** The sums over positions of the one-hots of all bins, each rotated to the right by its pair's turn, row by row. */
  const counts = (shape: Shape, onehot: Uint8Array | Uint32Array, turns: Uint32Array): Lanes => {
    const out = new BigUint64Array(rowsOf(shape, layout) * width)
    const words = new Uint32Array(out.buffer)
    const first = firstRow(shape, c.layout)
    for (let r = first, pair = 0, to = 0; r < shape.rows; r++) {
      const size = { count: span(shape, r), groups: heads, size: bins }
      const sums = rotatedSums(onehot, turns, pair, size)
      pair += size.count * heads
      // How many are in a bin or in one above it.
      for (let h = 0; h < heads; h++, to += bins - 1)
        for (let b = bins - 1, sum = 0; b > 0; b--) {
          sum += sums[h * bins + b]
          words[2 * (to + b - 1)] = sum & m
        }
    }
    return out
  }
  return plan.step<Share>('thermometer', share({ layout, width, ring, scale: UNSCALED }), [c], (id) => ({
    slots: [slot],
    deal(ctx) {
      const places = bitsAt(ctx.mask(c), 0, c.ring)
      if (isNarrow) return [{ rest: 0, single: 1, places }]
      const out = new BigUint64Array(places.length * bins)
      for (let i = 0; i < places.length; i++) out[i * bins + places[i]] = 1n
      return [out]
    },
    run(ctx) {
      const onehot = isNarrow ? ctx.bytes(id, slot) : bitsAt(ctx.correlation(id, slot), 0, ring)
      return counts(ctx.shape, onehot, bitsAt(ctx.get(c), 0, c.ring))
    },
    oracle(ctx) {
      // One-hots of zero, rotated to the values.
      const values = bitsAt(ctx.get(c), 0, c.ring)
      const onehot = new (isNarrow ? Uint8Array : Uint32Array)(values.length * bins)
      for (let at = 0; at < onehot.length; at += bins) onehot[at] = 1
      return counts(ctx.shape, onehot, values)
    },
  }))
}
