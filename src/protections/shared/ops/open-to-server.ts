import { program } from '../../../kernels/program.ts'
import type { Blinded, Opened, PlanBuilder, Share } from '../plan.ts'
import { weightMaskStream } from '../prg.ts'
import { type Lanes, reduce, signed } from '../ring.ts'
import { count } from '../shape.ts'
import { lifted, liftedOperands, raised, raisedOperands } from './lift.ts'
import { maskBits } from './operands.ts'

/**
 * Gives the server x - a for the owner's mask a of a stationary product: the owner sends x_O - a, a one-time pad.
 * rows x width, mod x's ring.
 */
export function blind(plan: PlanBuilder, x: Share, weight: number): Blinded {
  const { layout, width, ring, frac } = x
  const type = { kind: 'blinded' as const, layout, width, ring, frac, stream: weightMaskStream(weight) }
  return plan.step<Blinded>('blind', type, [x], (id) => {
    const out: Blinded = { ...type, step: id }
    const less = program<[Uint8Array]>((p) => [p.pack(p.sub(p.lanes(), p.packed(maskBits(out))), ring)])
    const sum = program<[Lanes]>((p) => [p.out(p.reduce(p.add(p.lanes(), p.packed(ring)), ring))])
    return {
      wire: { from: 'owner', layout, width, bits: ring },
      share: (ctx) => ctx.evaluate(less, [ctx.get(x), ctx.maskWords(out)], ctx.get(x).length)[0],
      run: (ctx, received) =>
        received ? ctx.evaluate(sum, [ctx.get(x), received], ctx.get(x).length)[0] : new BigUint64Array(),
      plain: (ctx) => ctx.get(x),
    }
  })
}

/**
 * The same for a value that was opened in a narrow ring: D already gives the low bits of x - a_O, so the owner sends
 * only what its lifted share has above them, its share of high + B top. The mask is the opening's own; it stays uniform
 * in the wide ring.
 */
export function blindLifted(plan: PlanBuilder, x: Opened, ring: number): Blinded {
  const { layout, width, frac } = x
  const bits = ring - x.ring
  const type = { kind: 'blinded' as const, layout, width, ring, frac, stream: x.stream }
  const above = program<[Uint8Array]>((p) => [p.pack(raised(p, x, 'owner', p.lanes()).raised, bits)])
  const whole = program<[Lanes]>((p) => {
    const { pub, share } = lifted(p, x, 'server')
    return [p.out(p.reduce(p.add(p.add(pub, share), p.shl(p.packed(bits), x.ring)), ring))]
  })
  return plan.step<Blinded>('blind', type, [x], () => ({
    wire: { from: 'owner', layout, width, bits },
    share: (ctx) =>
      ctx.evaluate(above, [ctx.get(x), ...raisedOperands(ctx, x)], count(ctx.shape, layout, width))[0],
    run: (ctx, received) =>
      received
        ? ctx.evaluate(whole, [...liftedOperands(ctx, x), received], count(ctx.shape, layout, width))[0]
        : new BigUint64Array(),
    plain: (ctx) =>
      reduce(
        ctx.get(x).map((v) => BigInt.asUintN(64, signed(v, x.ring))),
        ring,
      ),
  }))
}
