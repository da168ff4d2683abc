import { program } from '../../../kernels/program.ts'
import { sharedBits } from '../correlations/correlations.ts'
import type { Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { type Lanes, maskOf, signed } from '../ring.ts'
import { type Opened, type Share, share } from '../values.ts'
import { lifted, liftedOperands } from './parts/lifting.ts'
import { perRole } from './parts/operands.ts'

/**
 * b x of an opened, lifted x and a bit b that was opened in Z_2: same layout as x, mod 2^ring. No message.
 *
 * b = D xor m = D + (1 - 2 D) m is affine in its mask m, and x = A + w with w = -rho + 2^d B top, so
 *
 *   b x = D x + (1 - 2 D) (A m - m rho + 2^d B m top)
 *
 * of which the dealer gives m, m rho and m top. Throws `RangeError` where the lift was not dealt, or b is no bit.
 */
export function gate(plan: PlanBuilder, x: Opened, b: Opened, ring: number): Share {
  const d = x.ring
  const { layout, width, scale } = x
  if (ring > x.lift) throw new RangeError(`gate: Z_2^${ring} is wider than the dealt Z_2^${x.lift}`)
  if (b.ring !== 1 || b.width !== width) throw new RangeError('gate: the gate is no bit for each element')
  const bit: Slot = { name: 'm', layout, width, bits: ring }
  const rho: Slot = { name: 'm.rho', layout, width, bits: ring }
  const top: Slot = { name: 'm.top', layout, width, bits: ring - d }
  const secrets = program<[Lanes, Lanes, Lanes]>((p) => {
    const m = p.lanes()
    const r = p.reduce(p.from(0n, p.lanes()), d)
    return [p.out(m), p.out(p.mul(m, r)), p.out(p.mul(m, p.shr(r, d - 1)))]
  })
  const own = perRole((role) =>
    program<[Lanes]>((p) => {
      const D = p.lanes()
      const { pub, wrap, share: w } = lifted(p, x, role)
      const [m, mr, mt] = [bit, rho, top].map((slot) => p.packed(sharedBits(role, slot)))
      const masked = p.add(p.sub(p.mul(pub, m), mr), p.shl(p.mul(wrap, mt), d))
      const shown = p.mul(D, role === 'server' ? p.add(pub, w) : w)
      return [p.out(p.reduce(p.add(shown, p.mul(p.from(1n, p.shl(D, 1)), masked)), ring))]
    }),
  )
  const m = maskOf(ring)
  return plan.step<Share>('gate', share({ layout, width, ring, scale }), [x, b], (id) => ({
    slots: [bit, rho, top],
    deal: (ctx) => [...ctx.kernels.evaluate(secrets, [ctx.mask(b), ctx.mask(x)], ctx.mask(x).length)],
    run(ctx) {
      const dealt = [bit, rho, top].map((slot) => ctx.packed(id, slot))
      const operands = [ctx.get(b), ...liftedOperands(ctx, x), ...dealt]
      return ctx.kernels.evaluate(own(ctx.role), operands, ctx.get(x).length)[0]
    },
    oracle: (ctx) =>
      ctx.get(x).map((v, i) => (ctx.get(b)[i] === 1n ? BigInt.asUintN(64, signed(v, d)) & m : 0n)),
  }))
}
