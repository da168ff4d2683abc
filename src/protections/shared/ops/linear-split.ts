import { program } from '../../../kernels/program.ts'
import type { DealtProduct, Opened, PlanBuilder, Share, Slot } from '../plan.ts'
import { add, type Lanes, maskOf } from '../ring.ts'
import { raised, raisedOperands } from './lift.ts'
import type { WeightRef } from './linear.ts'
import { bias } from './local.ts'
import { open } from './open.ts'
import { perRole } from './operands.ts'

/**
 * The second piece that server and dealer each hold of a split weight, besides beta: G + beta at the server, F at the
 * dealer. The owner holds one, F + G.
 */
export const companion = (weight: string): string => `${weight}'`

/**
 * An opened value's D in a wider ring: the parties open the high part of what lifting adds, h = high + B top, and have
 * D = x - a mod 2^ring for the same mask a, which was uniform in the wider ring from the start.
 */
export function widen(plan: PlanBuilder, x: Opened, ring: number): Opened {
  if (ring <= x.ring || ring > x.lift)
    throw new RangeError(`widen: Z_2^${ring} is not between Z_2^${x.ring} and the dealt Z_2^${x.lift}`)
  const { kind, layout, width, frac, maskRing, stream, wide } = x
  const type = { kind, layout, width, frac, ring, offset: 0n, lift: 0, maskRing, stream, wide }
  const bits = ring - x.ring
  const half = perRole((role) =>
    program<[Uint8Array]>((p) => [p.pack(raised(p, x, role, p.lanes()).raised, bits)]),
  )
  const sum = program<[Lanes]>((p) => {
    const low = p.plus(p.lanes(), -x.offset)
    const above = p.add(p.packed(bits), p.packed(bits))
    return [p.out(p.reduce(p.add(low, p.shl(above, x.ring)), ring))]
  })
  return plan.step<Opened>('widen', type, [x], (id) => ({
    wire: { from: 'both', layout, width, bits },
    share: (ctx) =>
      ctx.evaluate(half(ctx.role), [ctx.get(x), ...raisedOperands(ctx, x)], ctx.get(x).length)[0],
    run: (ctx, received) =>
      ctx.evaluate(sum, [ctx.get(x), ctx.half(id), received as Uint8Array], ctx.get(x).length)[0],
    plain(ctx) {
      const value = ctx.get(x)
      const out = new BigUint64Array(value.length)
      const m = maskOf(ring)
      for (let i = 0; i < out.length; i++) out[i] = BigInt.asUintN(64, BigInt.asIntN(x.ring, value[i])) & m
      return out
    },
  }))
}

/**
 * x·W for W = F + G + beta of which nobody has all: F and G come from seeds, F's known to owner and dealer, G's to owner
 * and server; beta is known to server and dealer. With D = x - a, a = a_O + a_M,
 *
 *   x·W = (D + a_O)·(F + G)  +  D·beta + a_M·(G + beta)  +  a_O·beta + a_M·F
 *
 * of which the owner computes the first term, the server the next two, and the dealer deals the last two as one
 * correlation. x must be opened in the product's own ring. rows x n. No message.
 */
export function linearSplit(plan: PlanBuilder, x: Opened, weight: WeightRef): Share {
  const { ring, layout } = x
  if (x.offset !== 0n || x.maskRing < ring)
    throw new RangeError(`split product with '${weight.name}': its input is not opened in Z_2^${ring}`)
  const { name, n } = weight
  const slot: Slot = { name: 'c', layout, width: n, bits: ring }
  const type = { kind: 'share' as const, layout, width: n, ring, frac: x.frac + weight.frac }
  const byOwner: DealtProduct = { weight: name, ring, lanes: (ctx) => ctx.ownerMask(x) }
  const byServer: DealtProduct = { weight: companion(name), ring, lanes: (ctx) => ctx.serverMask(x) }
  return plan.step<Share>('split', type, [x], (id) => {
    plan.weights.push({ ...weight, k: x.width, ring })
    return {
      slots: [slot],
      matmul: [
        { weight: name, input: x, ring, by: ['owner'], lanes: (ctx) => add(ctx.get(x), ctx.mask(x), ring) },
        { weight: name, input: x, ring, by: ['server'] },
        { weight: companion(name), input: x, ring, by: ['server'], lanes: (ctx) => ctx.mask(x) },
      ],
      dealtProducts: [byOwner, byServer],
      deal: (ctx) => [add(ctx.multiplyDifference(byOwner), ctx.multiplyDifference(byServer), ring)],
      run(ctx) {
        const D = ctx.get(x)
        const a = ctx.mask(x)
        const y =
          ctx.role === 'owner'
            ? ctx.multiply(name, add(D, a, ring), ring)
            : add(ctx.multiply(name, D, ring), ctx.multiply(companion(name), a, ring), ring)
        return add(y, ctx.correlation(id, slot), ring)
      },
      plain: (ctx) => ctx.multiply(name, ctx.get(x), ring),
    }
  })
}

/** x·W for a share that is in the product's ring already. */
export const linearSplitShare = (plan: PlanBuilder, x: Share, weight: WeightRef): Share =>
  linearSplit(plan, open(plan, x, { bits: x.ring }), weight)

/** Adds the bias of a split matrix, b = f + g + beta like the matrix itself: the owner f + g, the server beta. */
export function biasSplit(plan: PlanBuilder, x: Share, name: string): Share {
  plan.splitBiases.push({ name, n: x.width })
  return bias(plan, x, name, ['owner', 'server'])
}
