/** The row maximum by thermometer: how many of a row's scores reach each of a few levels. */
import {
  firstRow,
  type Opened,
  type PlanBuilder,
  rowLayout,
  rowsOf,
  type Shape,
  type Share,
  type Slot,
  span,
} from '../plan.ts'
import { bitsAt, type Lanes, maskOf } from '../ring.ts'

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
  const slot: Slot = { name: 'onehot', layout: c.layout, width: heads, bits: ring, words: bins }
  const m = maskOf(ring)
  const levels = (shape: Shape, bin: (at: number, b: number) => bigint): Lanes => {
    const out = new BigUint64Array(rowsOf(shape, layout) * width)
    const first = firstRow(shape, c.layout)
    for (let r = first, at = 0; r < shape.rows; r++) {
      for (let j = span(shape, r); j > 0; j--)
        for (let h = 0; h < heads; h++, at++)
          for (let b = 1; b < bins; b++) {
            const i = ((r - first) * heads + h) * (bins - 1) + b - 1
            out[i] = BigInt.asUintN(64, out[i] + bin(at, b))
          }
      for (let h = 0; h < heads; h++) {
        const row = ((r - first) * heads + h) * (bins - 1)
        for (let b = bins - 3; b >= 0; b--) out[row + b] = BigInt.asUintN(64, out[row + b] + out[row + b + 1])
        for (let b = 0; b < bins - 1; b++) out[row + b] = out[row + b] & m
      }
    }
    return out
  }
  const type = { kind: 'share' as const, layout, width, ring, frac: 0 }
  return plan.step<Share>('thermometer', type, [c], (id) => ({
    slots: [slot],
    deal(ctx) {
      const a = ctx.mask(c)
      const out = new BigUint64Array(a.length * bins)
      for (let i = 0; i < a.length; i++) out[i * bins + Number(a[i])] = 1n
      return [out]
    },
    run(ctx) {
      const onehot = ctx.correlation(id, slot)
      const D = ctx.get(c)
      const turn = bitsAt(D, 0, c.ring)
      return levels(ctx.shape, (at, b) => onehot[at * bins + ((b - turn[at]) & (bins - 1))])
    },
    plain(ctx) {
      const value = ctx.get(c)
      return levels(ctx.shape, (at, b) => (Number(value[at]) === b ? 1n : 0n))
    },
  }))
}

/**
 * For every row and head the number of levels that at least one position reaches, i.e. the highest bin in use: rows x
 * heads, mod 2^ring, by one dealt table per count. No message.
 */
export function highestLevel(plan: PlanBuilder, N: Opened, heads: number, ring: number): Share {
  const levels = N.width / heads
  const entries = 1 << N.ring
  const { layout } = N
  const slot: Slot = { name: 'positive', layout, width: N.width, bits: ring, entries, words: 1 }
  const m = maskOf(ring)
  const sum = (rows: number, v: Lanes): Lanes => {
    const out = new BigUint64Array(rows * heads)
    for (let i = 0; i < v.length; i++) {
      const o = Math.floor(i / levels)
      out[o] = BigInt.asUintN(64, out[o] + v[i]) & m
    }
    return out
  }
  const type = { kind: 'share' as const, layout, width: heads, ring, frac: 0 }
  return plan.step<Share>('highest', type, [N], (id) => ({
    slots: [slot],
    deal(ctx) {
      const a = ctx.mask(N)
      const out = new BigUint64Array(a.length * entries).fill(1n)
      // The count D + a is zero at D = -a alone.
      for (let i = 0; i < a.length; i++) out[i * entries + ((entries - Number(a[i])) & (entries - 1))] = 0n
      return [out]
    },
    run(ctx) {
      const D = ctx.get(N)
      const index = bitsAt(D, 0, N.ring)
      return sum(rowsOf(ctx.shape, layout), ctx.lookup(id, slot, index))
    },
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
