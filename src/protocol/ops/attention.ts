/** The two contractions of attention, over cached opened keys and values whose masks persist. */
import type { PartyContext } from '../context.ts'
import {
  count,
  firstRow,
  type Layout,
  type Opened,
  type PlanBuilder,
  pairLayout,
  rowLayout,
  rowsOf,
  type Shape,
  type Share,
  type Slot,
  span,
} from '../plan.ts'
import { add, type Lanes, reduce, toFloats } from '../ring.ts'

export interface Heads {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
}

/**
 * Calls `each(pair, row, cached)` for every row, position that it sees, and head: the index of the pair, and where the
 * head's columns start in the row and in the cached row.
 */
function everyPair(
  shape: Shape,
  layout: Layout,
  h: Heads,
  each: (pair: number, row: number, cached: number) => void,
): void {
  const { heads, kvHeads, headDim } = h
  const group = heads / kvHeads
  const first = firstRow(shape, layout)
  for (let r = first, pair = 0; r < shape.rows; r++)
    for (let j = 0; j < span(shape, r); j++)
      for (let head = 0; head < heads; head++)
        each(
          pair++,
          ((r - first) * heads + head) * headDim,
          (j * kvHeads + Math.floor(head / group)) * headDim,
        )
}

/** out[at] += x[a..a+n) · y[b..b+n). A function of its own, so that engines keep its lanes in machine words. */
function dot(n: number, x: Lanes, a: number, y: Lanes, b: number, out: Lanes, at: number): void {
  for (let i = 0; i < n; i++) out[at] = BigInt.asUintN(64, out[at] + BigInt.asUintN(64, x[a + i] * y[b + i]))
}

/** out[a..a+n) += x[at] y[b..b+n). */
function scaleInto(n: number, x: Lanes, at: number, y: Lanes, b: number, out: Lanes, a: number): void {
  for (let i = 0; i < n; i++)
    out[a + i] = BigInt.asUintN(64, out[a + i] + BigInt.asUintN(64, x[at] * y[b + i]))
}

/** out[pair] += q[row] · k[position], mod 2^64. */
function scoresInto(shape: Shape, layout: Layout, h: Heads, q: Lanes, k: Lanes, out: Lanes): void {
  everyPair(shape, layout, h, (at, a, b) => dot(h.headDim, q, a, k, b, out, at))
}

/** out[row] += p[pair] v[position], mod 2^64. */
function mixInto(shape: Shape, layout: Layout, h: Heads, p: Lanes, v: Lanes, out: Lanes): void {
  everyPair(shape, layout, h, (at, a, b) => scaleInto(h.headDim, p, at, v, b, out, a))
}

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
  into(ctx.shape, layout, h, ctx.get(x), ctx.role === 'server' ? add(masks, values, 64) : masks, out)
  into(ctx.shape, layout, h, ctx.mask(x), values, out)
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
    slots: [slot],
    deal(ctx) {
      const out = zeros(ctx.shape)
      scoresInto(ctx.shape, layout, h, ctx.mask(q), ctx.cache(cache).masks, out)
      return [out]
    },
    run: (ctx) => contract(ctx, scoresInto, h, layout, q, cache, ctx.correlation(id, slot)),
    plain(ctx) {
      const out = zeros(ctx.shape)
      const keys = ctx.cache(cache).values
      scoresInto(ctx.shape, layout, h, ctx.get(q), keys, out)
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
    slots: [slot],
    deal(ctx) {
      const out = zeros(ctx.shape)
      mixInto(ctx.shape, layout, h, ctx.mask(p), ctx.cache(cache).masks, out)
      return [out]
    },
    run: (ctx) => contract(ctx, mixInto, h, layout, p, cache, ctx.correlation(id, slot)),
    plain(ctx) {
      const out = zeros(ctx.shape)
      mixInto(ctx.shape, layout, h, ctx.get(p), ctx.cache(cache).values, out)
      return reduce(out, ring)
    },
  }))
}
