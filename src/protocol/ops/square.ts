import { type Opened, type PlanBuilder, rowsOf, type Share, type Slot } from '../plan.ts'
import { maskOf, signed } from '../ring.ts'
import { lifted } from './lift.ts'

/**
 * The sum of squares of every row of an opened value: rows x 1, mod 2^ring, twice the fraction bits. No message.
 *
 * With x = A + w, w = -rho + 2^d B top: sum x^2 = sum A^2 + 2 sum A w + sum w^2, and
 * w^2 = rho^2 - 2^(d+1) B rho top + 2^(2d) B top; the dealer gives sum rho^2 for each row and rho top for each element.
 */
export function sumSquares(plan: PlanBuilder, x: Opened, ring: number): Share {
  const d = x.ring
  if (ring > x.lift) throw new RangeError(`sumSquares: Z_2^${ring} is wider than the dealt Z_2^${x.lift}`)
  const cross: Slot = { name: 'cross', layout: x.layout, width: x.width, bits: ring - d - 1 }
  const norm: Slot = { name: 'norm', layout: x.layout, width: 1, bits: ring }
  const top: Slot = { name: 'sign', layout: x.layout, width: x.width, bits: x.lift - d }
  const type = { kind: 'share' as const, layout: x.layout, width: 1, frac: 2 * x.frac, ring }
  const m = maskOf(ring)
  return plan.step<Share>('sumSquares', type, [x], (id) => ({
    slots: [cross, norm],
    deal(ctx) {
      const a = ctx.mask(x)
      const rhoTop = new BigUint64Array(a.length)
      const squares = new BigUint64Array(rowsOf(ctx.shape, x.layout))
      const md = maskOf(d)
      const half = 1n << BigInt(d - 1)
      for (let r = 0, i = 0; r < squares.length; r++)
        for (let j = 0; j < x.width; j++, i++) {
          const rho = BigInt.asUintN(64, -a[i]) & md
          rhoTop[i] = rho >= half ? rho : 0n
          squares[r] = BigInt.asUintN(64, squares[r] + BigInt.asUintN(64, rho * rho))
        }
      return [rhoTop, squares]
    },
    run(ctx) {
      const { pub, wrap, share } = lifted(ctx, x)
      const rhoTop = ctx.correlation(id, cross)
      const out = ctx.correlation(id, norm).slice()
      const sign = ctx.correlation(x.step, top)
      const server = ctx.role === 'server' ? 1n : 0n
      const cut = 1n << BigInt(d + 1)
      const square = 2 * d < 64 ? 1n << BigInt(2 * d) : 0n
      for (let r = 0, i = 0; r < out.length; r++)
        for (let j = 0; j < x.width; j++, i++) {
          const A = pub[i]
          const linear = BigInt.asUintN(64, BigInt.asUintN(64, 2n * A) * share[i])
          const own = BigInt.asUintN(64, server * BigInt.asUintN(64, A * A))
          const crossed = BigInt.asUintN(64, cut * BigInt.asUintN(64, wrap[i] * rhoTop[i]))
          const squared = BigInt.asUintN(64, square * BigInt.asUintN(64, wrap[i] * sign[i]))
          const more = BigInt.asUintN(
            64,
            BigInt.asUintN(64, own + linear) + BigInt.asUintN(64, squared - crossed),
          )
          out[r] = BigInt.asUintN(64, out[r] + more) & m
        }
      return out
    },
    plain(ctx) {
      const v = ctx.get(x)
      const out = new BigUint64Array(rowsOf(ctx.shape, x.layout))
      for (let r = 0, i = 0; r < out.length; r++)
        for (let j = 0; j < x.width; j++, i++) {
          const s = signed(v[i], d)
          out[r] = BigInt.asUintN(64, out[r] + BigInt.asUintN(64, s * s)) & m
        }
      return out
    },
  }))
}
