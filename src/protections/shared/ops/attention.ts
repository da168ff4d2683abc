/** The two contractions of attention, over cached opened keys and values whose masks persist. */
import { everyPair, plainContract } from '../../../kernels/contraction.ts'
import { program } from '../../../kernels/program.ts'
import type { PartyContext } from '../context.ts'
import { sharedBits } from '../correlations/correlations.ts'
import type { Opened, PlanBuilder, Share, Slot } from '../plan.ts'
import { type Lanes, reduce, toFloats } from '../ring.ts'
import { pairLayout, rowLayout } from '../shape.ts'
import { contractionOf, type Heads } from './contraction.ts'
import { perRole } from './operands.ts'

/**
 * This party's share of sum (D + a)(E + b): its parts of the masks a and b against the public sides, plus the dealt
 * share of the mask product; D E itself is the server's.
 */
function contract(kind: 'scores' | 'mix', h: Heads, x: Opened, cache: string, slot: Slot) {
  const sum = program<[Lanes]>((p) => [p.out(p.add(p.lanes(), p.lanes()))])
  const whole = perRole((role) =>
    program<[Lanes]>((p) => [p.out(p.reduce(p.add(p.lanes(), p.packed(sharedBits(role, slot))), x.ring))]),
  )
  return (ctx: PartyContext, id: number): Lanes => {
    const { values, masks } = ctx.cache(cache)
    const own = ctx.role === 'server' ? ctx.evaluate(sum, [masks, values], masks.length)[0] : masks
    const terms = [
      [ctx.get(x), own],
      [ctx.mask(x), values],
    ] as const
    const y = ctx.contract(kind, terms, contractionOf(ctx.shape, x.layout, h))
    return ctx.evaluate(whole(ctx.role), [y, ctx.packed(id, slot)], y.length)[0]
  }
}

/**
 * Attention logits q·k for every row and position it sees: pairs x heads, mod 2^ring (q's and k's own ring). The oracle
 * reports logits outside `range`, which the ring could not tell apart.
 */
export function scores(
  plan: PlanBuilder,
  q: Opened,
  k: Opened,
  cache: string,
  h: Heads,
  range: readonly [low: number, high: number],
): Share {
  const { ring } = q
  const layout = pairLayout(q.layout)
  const slot: Slot = { name: 'qk', layout, width: h.heads, bits: ring }
  const type = { kind: 'share' as const, layout, width: h.heads, ring, frac: q.frac + k.frac }
  const own = contract('scores', h, q, cache, slot)
  return plan.step<Share>('scores', type, [q, k], (id) => ({
    across: k,
    slots: [slot],
    deal(ctx) {
      const terms = [[ctx.mask(q), ctx.cache(cache).masks]] as const
      return [ctx.contract('scores', terms, contractionOf(ctx.shape, layout, h))]
    },
    run: (ctx) => own(ctx, id),
    plain(ctx) {
      const keys = ctx.cache(cache).values
      const o = contractionOf(ctx.shape, layout, h)
      const out = plainContract('scores', [[ctx.get(q), keys]], o)
      const real = new Float64Array(out.length)
      const [qs, ks] = [toFloats(ctx.get(q), ring, q.frac), toFloats(keys, ring, k.frac)]
      everyPair(o, (at, a, b) => {
        for (let i = 0; i < h.headDim; i++) real[at] += qs[a + i] * ks[b + i]
      })
      if (real.some((s) => s < range[0] || s >= range[1]))
        ctx.violation(id, 'an attention logit is outside its calibrated range')
      return reduce(out, ring)
    },
  }))
}

/** The weighted sum of cached values: rows x heads·headDim, mod 2^ring (p's and v's own ring). */
export function mix(plan: PlanBuilder, p: Opened, v: Opened, cache: string, h: Heads): Share {
  const { ring } = p
  const layout = rowLayout(p.layout)
  const width = h.heads * h.headDim
  const slot: Slot = { name: 'pv', layout, width, bits: ring }
  const type = { kind: 'share' as const, layout, width, ring, frac: p.frac + v.frac }
  const own = contract('mix', h, p, cache, slot)
  return plan.step<Share>('mix', type, [p, v], (id) => ({
    across: v,
    slots: [slot],
    deal(ctx) {
      const terms = [[ctx.mask(p), ctx.cache(cache).masks]] as const
      return [ctx.contract('mix', terms, contractionOf(ctx.shape, layout, h))]
    },
    run: (ctx) => own(ctx, id),
    plain(ctx) {
      const terms = [[ctx.get(p), ctx.cache(cache).values]] as const
      return reduce(plainContract('mix', terms, contractionOf(ctx.shape, layout, h)), ring)
    },
  }))
}
