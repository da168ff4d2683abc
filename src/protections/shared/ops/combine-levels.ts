import type { Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { maskOf, signed } from '../ring.ts'
import { rowsOf } from '../shape.ts'
import { type Opened, type Share, share } from '../values.ts'
import { bitCount, GateProducts } from './parts/gate-products.ts'

/**
 * `x` holds, for each value, T0, g0, T1, g1, ..., T(n-1), opened without a lift: rows x (2n - 1)·width. The result is
 * rows x width in the same ring. Each of T0 + g0 T1 + g0 g1 T2 + ... is multiplied out into public parts times products
 * of masks, which the dealer deals. No message.
 */
export function combineLevels(plan: PlanBuilder, x: Opened, n: number): Share {
  const parts = 2 * n - 1
  const width = x.width / parts
  const { layout, ring } = x
  const products = new GateProducts(n)
  const slot: Slot = { name: 'masks', layout, width, words: products.names.length, bits: ring }
  const m = maskOf(ring)
  const place = (i: number, part: number): number =>
    (Math.floor(i / width) * parts + part) * width + (i % width)
  const times = (p: bigint, q: bigint): bigint => BigInt.asUintN(64, p * q)
  return plan.step<Share>('combineLevels', share({ ...x, width }), [x], (id) => ({
    slots: [slot],
    deal(ctx) {
      const a = ctx.mask(x)
      const count = rowsOf(ctx.shape, layout) * width
      const out = new BigUint64Array(count * products.names.length)
      for (let i = 0, at = 0; i < count; i++)
        for (const { gates, level } of products.names) {
          let p = level === undefined ? 1n : a[place(i, 2 * level)]
          for (let g = 0; gates >> g > 0; g++) if ((gates >> g) & 1) p = times(p, a[place(i, 2 * g + 1)])
          out[at++] = p
        }
      return [out]
    },
    run(ctx) {
      const D = ctx.get(x)
      const a = ctx.mask(x)
      const dealt = ctx.correlation(id, slot)
      const out = new BigUint64Array(rowsOf(ctx.shape, layout) * width)
      for (let i = 0; i < out.length; i++) {
        const from = i * products.names.length
        /** This party's share of a product of gates' masks, and of that times a level's. */
        const gatesShare = (set: number): bigint => {
          if (set === 0) return ctx.role === 'server' ? 1n : 0n
          if (bitCount(set) === 1) return a[place(i, 2 * Math.log2(set) + 1)]
          return dealt[from + products.indexOf(set)]
        }
        const levelShare = (set: number, level: number): bigint =>
          set === 0 ? a[place(i, 2 * level)] : dealt[from + products.indexOf(set, level)]
        for (let level = 0; level < n; level++)
          for (let masked = 0; masked < 2 ** level; masked++) {
            let open = 1n
            for (let g = 0; g < level; g++)
              if (((masked >> g) & 1) === 0) open = times(open, D[place(i, 2 * g + 1)])
            const own = times(D[place(i, 2 * level)], gatesShare(masked)) + levelShare(masked, level)
            out[i] = BigInt.asUintN(64, out[i] + times(open, BigInt.asUintN(64, own))) & m
          }
      }
      return out
    },
    oracle(ctx) {
      const v = ctx.get(x)
      const out = new BigUint64Array(rowsOf(ctx.shape, layout) * width)
      for (let i = 0; i < out.length; i++) {
        const at = (part: number): bigint => signed(v[place(i, part)], ring)
        let y = at(2 * n - 2)
        for (let level = n - 2; level >= 0; level--) y = at(2 * level) + at(2 * level + 1) * y
        out[i] = BigInt.asUintN(64, y) & m
      }
      return out
    },
  }))
}
