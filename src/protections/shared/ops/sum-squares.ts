import { program } from '../../../kernels/program.ts'
import { sharedBits } from '../correlations/correlations.ts'
import type { Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { add, type Lanes, maskOf, signed } from '../ring.ts'
import { timesScale } from '../scale.ts'
import { rowsOf } from '../shape.ts'
import { type Opened, type Share, share } from '../values.ts'
import { lifted, liftedOperands } from './parts/lifting.ts'
import { perRole } from './parts/operands.ts'

/**
 * The sum of squares of every `run` columns of an opened value, of whole rows where nothing is said: rows x width / run,
 * mod 2^ring, twice the fraction bits. No message. Throws `RangeError` where rows are no whole runs.
 *
 * With x = A + w, w = -rho + 2^d B top: sum x^2 = sum A^2 + 2 sum A w + sum w^2, and
 * w^2 = rho^2 - 2^(d+1) B rho top + 2^(2d) B top; the dealer gives sum rho^2 for each row and rho top for each element.
 */
export function sumSquares(plan: PlanBuilder, x: Opened, ring: number, run = x.width): Share {
  const d = x.ring
  if (ring > x.lift) throw new RangeError(`sumSquares: Z_2^${ring} is wider than the dealt Z_2^${x.lift}`)
  if (x.width % run !== 0) throw new RangeError(`sumSquares: ${x.width} columns are no runs of ${run}`)
  const width = x.width / run
  const cross: Slot = { name: 'cross', layout: x.layout, width: x.width, bits: ring - d - 1 }
  const norm: Slot = { name: 'norm', layout: x.layout, width, bits: ring }
  const type = { layout: x.layout, width, ring, scale: timesScale(x.scale, x.scale) }
  const m = maskOf(ring)
  const secrets = program<[Lanes, Lanes]>((p) => {
    const rho = p.reduce(p.from(0n, p.lanes()), d)
    return [p.out(p.mul(rho, p.shr(rho, d - 1))), p.sums(p.mul(rho, rho), run)]
  })
  const own = perRole((role) =>
    program<[Lanes]>((p) => {
      const { pub, wrap, share, sign } = lifted(p, x, role)
      const rhoTop = p.packed(sharedBits(role, cross))
      const twice = p.shl(share, 1)
      const linear = p.mul(pub, role === 'server' ? p.add(pub, twice) : twice)
      const squared = p.mul(wrap, p.sub(p.shl(sign, 2 * d), p.shl(rhoTop, d + 1)))
      return [p.sums(p.add(linear, squared), run)]
    }),
  )
  return plan.step<Share>('sumSquares', share(type), [x], (id) => ({
    slots: [cross, norm],
    deal(ctx) {
      const a = ctx.mask(x)
      return [...ctx.kernels.evaluate(secrets, [a], a.length)]
    },
    run(ctx) {
      const operands = [...liftedOperands(ctx, x), ctx.packed(id, cross)]
      const [out] = ctx.kernels.evaluate(own(ctx.role), operands, ctx.get(x).length)
      return add(out, ctx.correlation(id, norm), ring)
    },
    oracle(ctx) {
      const v = ctx.get(x)
      const out = new BigUint64Array(rowsOf(ctx.shape, x.layout) * width)
      for (let r = 0, i = 0; r < out.length; r++)
        for (let j = 0; j < run; j++, i++) {
          const s = signed(v[i], d)
          out[r] = BigInt.asUintN(64, out[r] + BigInt.asUintN(64, s * s)) & m
        }
      return out
    },
  }))
}
