/** The two contractions of attention, over cached opened keys and values whose masks persist. */
import type { CachedRows } from '../context.ts'
import type { Opened, PlanBuilder, Shape, Share, Slot } from '../plan.ts'
import { count, span } from '../plan.ts'
import { type Lanes, maskOf, toFloats } from '../ring.ts'

export interface Heads {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
}

/** out[row, position, head] += sum over the head's columns of q[row] x k[position]. */
function scoresInto(shape: Shape, h: Heads, q: Lanes, k: Lanes, out: Lanes): void {
  const { heads, kvHeads, headDim } = h
  const group = heads / kvHeads
  for (let r = 0, at = 0; r < shape.rows; r++)
    for (let j = 0; j < span(shape, r); j++)
      for (let head = 0; head < heads; head++, at++) {
        const a = (r * heads + head) * headDim
        const b = (j * kvHeads + Math.floor(head / group)) * headDim
        for (let i = 0; i < headDim; i++)
          out[at] = BigInt.asUintN(64, out[at] + BigInt.asUintN(64, q[a + i] * k[b + i]))
      }
}

/** The same in real numbers. */
function realScores(shape: Shape, h: Heads, q: Float64Array, k: Float64Array): Float64Array {
  const { heads, kvHeads, headDim } = h
  const group = heads / kvHeads
  const out = new Float64Array(count(shape, 'pair', heads))
  for (let r = 0, at = 0; r < shape.rows; r++)
    for (let j = 0; j < span(shape, r); j++)
      for (let head = 0; head < heads; head++, at++) {
        const a = (r * heads + head) * headDim
        const b = (j * kvHeads + Math.floor(head / group)) * headDim
        for (let i = 0; i < headDim; i++) out[at] += q[a + i] * k[b + i]
      }
  return out
}

/** out[row, head, column] += sum over positions of p[row, position, head] x v[position]. */
function mixInto(shape: Shape, h: Heads, p: Lanes, v: Lanes, out: Lanes): void {
  const { heads, kvHeads, headDim } = h
  const group = heads / kvHeads
  for (let r = 0, at = 0; r < shape.rows; r++)
    for (let j = 0; j < span(shape, r); j++)
      for (let head = 0; head < heads; head++, at++) {
        const a = (r * heads + head) * headDim
        const b = (j * kvHeads + Math.floor(head / group)) * headDim
        const w = p[at]
        for (let i = 0; i < headDim; i++)
          out[a + i] = BigInt.asUintN(64, out[a + i] + BigInt.asUintN(64, w * v[b + i]))
      }
}

type Contract = typeof scoresInto

/** This party's share of sum (D + a)(E + b) given its parts of a and b and the dealt share of the mask product. */
function contract(
  into: Contract,
  shape: Shape,
  h: Heads,
  x: { D: Lanes; a: Lanes },
  y: CachedRows,
  dealt: Lanes,
  server: boolean,
  ring: number,
): Lanes {
  const out = dealt.slice()
  const own = server ? y.masks.map((b, i) => BigInt.asUintN(64, b + y.values[i])) : y.masks
  into(shape, h, x.D, own, out)
  into(shape, h, x.a, y.values, out)
  const m = maskOf(ring)
  for (let i = 0; i < out.length; i++) out[i] = out[i] & m
  return out
}

function masked(out: Lanes, ring: number): Lanes {
  const m = maskOf(ring)
  for (let i = 0; i < out.length; i++) out[i] = out[i] & m
  return out
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
  const slot: Slot = { name: 'qk', layout: 'pair', width: h.heads, bits: ring }
  const type = {
    kind: 'share' as const,
    layout: 'pair' as const,
    width: h.heads,
    ring,
    frac: q.frac + k.frac,
  }
  const size = (shape: Shape): Lanes => new BigUint64Array(count(shape, 'pair', h.heads))
  return plan.step<Share>('scores', type, [q, k], (id) => ({
    slots: [slot],
    deal(ctx) {
      const out = size(ctx.shape)
      scoresInto(ctx.shape, h, ctx.mask(q), ctx.cache(cache).masks, out)
      return [out]
    },
    run(ctx) {
      const x = { D: ctx.get(q), a: ctx.mask(q) }
      const dealt = ctx.correlation(id, slot)
      return contract(scoresInto, ctx.shape, h, x, ctx.cache(cache), dealt, ctx.role === 'server', ring)
    },
    plain(ctx) {
      const out = size(ctx.shape)
      const keys = ctx.cache(cache).values
      scoresInto(ctx.shape, h, ctx.get(q), keys, out)
      for (const s of realScores(
        ctx.shape,
        h,
        toFloats(ctx.get(q), ring, q.frac),
        toFloats(keys, ring, k.frac),
      ))
        if (s < range[0] || s >= range[1])
          ctx.violation(id, 'an attention logit is outside its calibrated range')
      return masked(out, ring)
    },
  }))
}

/** The weighted sum of cached values: rows x heads·headDim, mod 2^ring (p's and v's own ring). */
export function mix(plan: PlanBuilder, p: Opened, v: Opened, cache: string, h: Heads): Share {
  const { ring } = p
  const width = h.heads * h.headDim
  const slot: Slot = { name: 'pv', layout: 'row', width, bits: ring }
  const type = { kind: 'share' as const, layout: 'row' as const, width, ring, frac: p.frac + v.frac }
  return plan.step<Share>('mix', type, [p, v], (id) => ({
    slots: [slot],
    deal(ctx) {
      const out = new BigUint64Array(ctx.shape.rows * width)
      mixInto(ctx.shape, h, ctx.mask(p), ctx.cache(cache).masks, out)
      return [out]
    },
    run(ctx) {
      const x = { D: ctx.get(p), a: ctx.mask(p) }
      const dealt = ctx.correlation(id, slot)
      return contract(mixInto, ctx.shape, h, x, ctx.cache(cache), dealt, ctx.role === 'server', ring)
    },
    plain(ctx) {
      const out = new BigUint64Array(ctx.shape.rows * width)
      mixInto(ctx.shape, h, ctx.get(p), ctx.cache(cache).values, out)
      return masked(out, ring)
    },
  }))
}
