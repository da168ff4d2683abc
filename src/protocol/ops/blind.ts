import type { Blinded, Opened, PlanBuilder, Share } from '../plan.ts'
import { weightMaskStream } from '../prg.ts'
import { add, maskOf, reduce, shiftRight, signed, sub } from '../ring.ts'
import { lifted } from './lift.ts'

/**
 * Gives the server x - a for the owner's mask a of a stationary product: the owner sends x_O - a, a one-time pad.
 * rows x width, mod x's ring.
 */
export function blind(plan: PlanBuilder, x: Share, weight: number): Blinded {
  const { layout, width, ring, frac } = x
  const type = { kind: 'blinded' as const, layout, width, ring, frac, stream: weightMaskStream(weight) }
  return plan.step<Blinded>('blind', type, [x], (id) => {
    const out: Blinded = { ...type, step: id }
    return {
      wire: { from: 'owner', layout, width, bits: ring },
      share: (ctx) => sub(ctx.get(x), ctx.mask(out), ring),
      run: (ctx, received) => (received ? add(ctx.get(x), received, ring) : new BigUint64Array()),
      plain: (ctx) => ctx.get(x),
    }
  })
}

/**
 * The same for a value that was opened in a narrow ring: D already gives the low bits of x - a_O, so the owner sends
 * only the high part of its lifted share. The mask is the opening's own; it stays uniform in the wide ring.
 */
export function blindLifted(plan: PlanBuilder, x: Opened, ring: number): Blinded {
  const { layout, width, frac } = x
  const bits = ring - x.ring
  const type = { kind: 'blinded' as const, layout, width, ring, frac, stream: x.stream }
  return plan.step<Blinded>('blind', type, [x], () => ({
    wire: { from: 'owner', layout, width, bits },
    share(ctx) {
      const { share } = lifted(ctx, x)
      return shiftRight(sub(share, ctx.mask(x), ring), x.ring)
    },
    run(ctx, received) {
      if (!received) return new BigUint64Array()
      const { pub, share } = lifted(ctx, x)
      const scale = 1n << BigInt(x.ring)
      const m = maskOf(ring)
      for (let i = 0; i < share.length; i++) {
        const own = BigInt.asUintN(64, pub[i] + share[i])
        share[i] = BigInt.asUintN(64, own + BigInt.asUintN(64, received[i] * scale)) & m
      }
      return share
    },
    plain: (ctx) =>
      reduce(
        ctx.get(x).map((v) => BigInt.asUintN(64, signed(v, x.ring))),
        ring,
      ),
  }))
}
