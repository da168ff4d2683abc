/** The row maximum by thermometer: how many of a row's scores reach each of a few levels. */
import type { Opened, PlanBuilder, Share, Slot } from '../plan.ts'
import { bitsAt, type Lanes, maskOf } from '../ring.ts'
import { firstRow, rowLayout, rowsOf, type Shape, span } from '../shape.ts'
import { rotatedSums } from './rotated-sums.ts'

/**
 * For every row and head, N_b = number of positions whose bin is at least b, b = 1..bins-1: rows x heads·(bins-1), mod
 * 2^ring. `c` holds the bins (pairs x heads, opened mod `bins`). The dealer gives an additive one-hot of c's mask;
 * rotated by the public D it is the one-hot of the bin. No message.
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
  const type = { kind: 'share' as const, layout, width, ring, frac: 0 }
  return plan.step<Share>('thermometer', type, [c], (id) => ({
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
    plain(ctx) {
      // One-hots of zero, rotated to the values.
      const values = bitsAt(ctx.get(c), 0, c.ring)
      const onehot = new (isNarrow ? Uint8Array : Uint32Array)(values.length * bins)
      for (let at = 0; at < onehot.length; at += bins) onehot[at] = 1
      return counts(ctx.shape, onehot, values)
    },
  }))
}

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
  const type = { kind: 'share' as const, layout, width: heads, ring: 8, frac: 0 }
  return plan.step<Share>('highest', type, [N], (id) => ({
    slots: [slot],
    deal(ctx) {
      // The count D + a is zero at D = -a alone.
      const places = bitsAt(ctx.mask(N), 0, N.ring).map((a) => (entries - a) & (entries - 1))
      return [{ rest: 1, single: 0, places }]
    },
    run: (ctx) => sum(rowsOf(ctx.shape, layout), ctx.lookup(id, slot, bitsAt(ctx.get(N), 0, N.ring))),
    plain: (ctx) =>
      sum(
        rowsOf(ctx.shape, layout),
        ctx.get(N).map((v) => (v > 0n ? 1n : 0n)),
      ),
  }))
}

/**
 * How far every score lies below its row's cap: z = s - 2^shift (level + 1) - offset, pairs x heads, mod 2^ring: s comes
 * at z's scale. Local.
 */
export function belowCap(
  plan: PlanBuilder,
  s: Share,
  level: Share,
  o: { shift: number; offset: bigint },
): Share {
  const { width, ring, frac, layout } = s
  const m = maskOf(ring)
  const unit = 1n << BigInt(o.shift)
  const subtract = (shape: Shape, scores: Lanes, caps: Lanes, constant: bigint): Lanes => {
    const out = new BigUint64Array(scores.length)
    const first = firstRow(shape, layout)
    for (let r = first, at = 0; r < shape.rows; r++)
      for (let j = span(shape, r); j > 0; j--)
        for (let h = 0; h < width; h++, at++) {
          const cap = BigInt.asUintN(64, BigInt.asUintN(64, caps[(r - first) * width + h] * unit) + constant)
          out[at] = BigInt.asUintN(64, scores[at] - cap) & m
        }
    return out
  }
  const constant = BigInt.asUintN(64, unit + o.offset)
  const type = { kind: 'share' as const, layout, width, ring, frac }
  return plan.step<Share>('below', type, [s, level], () => ({
    run: (ctx) => subtract(ctx.shape, ctx.get(s), ctx.get(level), ctx.role === 'server' ? constant : 0n),
    plain: (ctx) => subtract(ctx.shape, ctx.get(s), ctx.get(level), constant),
  }))
}
