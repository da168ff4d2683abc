/** The two contractions of attention, over cached opened keys and values whose masks persist. */
import type { PartyContext } from '../context.ts'
import {
  count,
  type Layout,
  type Opened,
  type PlanBuilder,
  pairLayout,
  rowLayout,
  rowsOf,
  type Shape,
  type Share,
  type Slot,
} from '../plan.ts'
import { add, type Lanes, reduce, toFloats } from '../ring.ts'
import { everyPair, type Heads, mixInto, scoresInto } from './contraction.ts'

/**
 * This party's share of sum (D + a)(E + b): its parts of the masks a and b against the public sides, plus the dealt
 * share of the mask product; D E itself is the server's.
 */
function contract(
  ctx: PartyContext,
  into: typeof scoresInto,
  h: Heads,
  layout: Layout,
  x: Opened,
  cache: string,
  dealt: Lanes,
): Lanes {
  const { values, masks } = ctx.cache(cache)
  const out = dealt.slice()
  into(ctx, layout, h, ctx.get(x), ctx.role === 'server' ? add(masks, values, 64) : masks, out)
  into(ctx, layout, h, ctx.mask(x), values, out)
  return reduce(out, x.ring)
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
  const zeros = (shape: Shape): Lanes => new BigUint64Array(count(shape, layout, h.heads))
  return plan.step<Share>('scores', type, [q, k], (id) => ({
    across: k,
    slots: [slot],
    deal(ctx) {
      const out = zeros(ctx.shape)
      scoresInto(ctx, layout, h, ctx.mask(q), ctx.cache(cache).masks, out)
      return [out]
    },
    run: (ctx) => contract(ctx, scoresInto, h, layout, q, cache, ctx.correlation(id, slot)),
    plain(ctx) {
      const out = zeros(ctx.shape)
      const keys = ctx.cache(cache).values
      scoresInto(ctx, layout, h, ctx.get(q), keys, out)
      const real = new Float64Array(out.length)
      const [qs, ks] = [toFloats(ctx.get(q), ring, q.frac), toFloats(keys, ring, k.frac)]
      everyPair(ctx.shape, layout, h, (at, a, b) => {
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
  const zeros = (shape: Shape): Lanes => new BigUint64Array(rowsOf(shape, layout) * width)
  return plan.step<Share>('mix', type, [p, v], (id) => ({
    across: v,
    slots: [slot],
    deal(ctx) {
      const out = zeros(ctx.shape)
      mixInto(ctx, layout, h, ctx.mask(p), ctx.cache(cache).masks, out)
      return [out]
    },
    run: (ctx) => contract(ctx, mixInto, h, layout, p, cache, ctx.correlation(id, slot)),
    plain(ctx) {
      const out = zeros(ctx.shape)
      mixInto(ctx, layout, h, ctx.get(p), ctx.cache(cache).values, out)
      return reduce(out, ring)
    },
  }))
}
