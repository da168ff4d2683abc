import type { DealtRows, Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { add, bitsAt, clearLow, type Lanes, maskOf, signed } from '../ring.ts'
import { finer } from '../scale.ts'
import type { Rotations } from '../tables/rotations.ts'
import { type Opened, type Share, share } from '../values.ts'
import { publicOf } from './parts/public-of.ts'

export interface NormaliseOptions {
  /** Fraction bits that f adds. */
  readonly frac: number
  readonly ring: number
}

/**
 * y f(v), one v for each row of an opened, lifted y: rows x width, mod 2^ring. No message, and f(v) is never opened.
 *
 * f is tabulated over the intervals of v, exactly for its mask, and so is f times every secret of the row's lift: with
 * y = A - rho + 2^d B top, the parties read A f - f rho + 2^d B f top. Throws `RangeError` where the lift was not dealt,
 * or there is more than one v for a row.
 */
export function normalise(
  plan: PlanBuilder,
  y: Opened,
  v: Opened,
  table: Rotations,
  { frac, ring }: NormaliseOptions,
): Share {
  const d = y.ring
  const { layout, width } = y
  if (ring > y.lift) throw new RangeError(`normalise: Z_2^${ring} is wider than the dealt Z_2^${y.lift}`)
  const { entries, shift, words } = table.spec
  if (v.width !== 1 || words > 1 || entries * 2 ** shift !== 2 ** v.ring)
    throw new RangeError('normalise: the table is not of one value for each row')
  const factor: Slot = { name: 'f', layout, width: 1, entries, bits: ring }
  const byRho: Slot = { name: 'f.rho', layout, width, entries, bits: ring }
  const byTop: Slot = { name: 'f.top', layout, width, entries, bits: ring - d }
  const m = maskOf(ring)
  const step = 1n << BigInt(d)
  /** The row of every element. */
  const spread = (index: Uint32Array): Uint32Array =>
    Uint32Array.from({ length: index.length * width }, (_, i) => index[Math.floor(i / width)])
  const type = { layout, width, ring, scale: finer(y.scale, frac) }
  return plan.step<Share>('normalise', share(type), [y, v], (id) => ({
    slots: [factor, byRho, byTop],
    prepare: () => table.prepare(),
    deal(ctx) {
      const masks = bitsAt(ctx.mask(v), 0, v.ring)
      const rho = ctx.mask(y).map((a) => BigInt.asUintN(d, -a))
      const half = 1n << BigInt(d - 1)
      return [
        table.dealt(masks),
        timesRows(table, masks, rho, width),
        timesRows(
          table,
          masks,
          rho.map((r) => (r >= half ? 1n : 0n)),
          width,
        ),
      ]
    },
    run(ctx) {
      const index = bitsAt(ctx.get(v), shift, v.ring - shift)
      const rows = spread(index)
      const f = ctx.lookup(id, factor, index)
      const fr = ctx.lookup(id, byRho, rows)
      const ft = ctx.lookup(id, byTop, rows)
      return ctx.get(y).map((D, i) => {
        const A = BigInt.asUintN(64, D - y.offset)
        const wrap = D >> BigInt(d - 1) === 0n ? step : 0n
        const linear = BigInt.asUintN(64, f[Math.floor(i / width)] * A) - fr[i]
        return BigInt.asUintN(64, linear + BigInt.asUintN(64, wrap * ft[i])) & m
      })
    },
    oracle(ctx) {
      const size = 2 ** v.ring
      if (bitsAt(ctx.get(v), 0, v.ring).some((x) => x >= size - 2 ** shift))
        ctx.violation(id, 'a value is above the table')
      const start = add(clearLow(publicOf(ctx, v), shift), ctx.mask(v), v.ring)
      const f = Array.from(bitsAt(start, 0, v.ring), (s) => table.at(s % 2 ** shift)[s >>> shift])
      return ctx.get(y).map((x, i) => BigInt.asUintN(64, f[Math.floor(i / width)] * signed(x, d)) & m)
    },
  }))
}

/** Each element's table: its row's, times what is the element's own. */
function timesRows(table: Rotations, masks: Uint32Array, own: Lanes, width: number): DealtRows {
  const { entries } = table.spec
  const row = new BigUint64Array(entries)
  return {
    fill(first, n, out) {
      for (let i = first, to = 0; i < first + n; i++, to += entries) {
        if (i === first || i % width === 0) table.fill(masks, Math.floor(i / width), 1, row)
        for (let k = 0; k < entries; k++) out[to + k] = BigInt.asUintN(64, row[k] * own[i])
      }
    },
  }
}
