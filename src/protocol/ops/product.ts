import type { DealContext, PartyContext } from '../context.ts'
import { type Layout, type Opened, type PlanBuilder, rowsOf, type Share, type Slot } from '../plan.ts'
import { type Lanes, maskOf, shiftRight, signed } from '../ring.ts'
import { lifted } from './lift.ts'

/** A factor and the columns it contributes: output column j reads column from + floor(j / repeat). */
export interface Factor {
  readonly value: Opened
  readonly from?: number
  readonly repeat?: number
}

export type Term = readonly Factor[]

/** One secret of a factor: `mask` of a value opened in the product's ring; `rho`, or its `top` bit, of a lifted one. */
type Secret = { readonly factor: number; readonly part: 'mask' | 'rho' | 'top' }

/** A product of secrets of two or more factors; the others enter with their public part. */
interface Monomial {
  readonly secrets: readonly Secret[]
  readonly slot: Slot
  /** Output columns that share one dealt value. */
  readonly repeat: number
}

const columnOf = (f: Factor, row: number, j: number): number =>
  row * f.value.width + (f.from ?? 0) + Math.floor(j / (f.repeat ?? 1))

/** Every monomial of two and more secrets that does not vanish mod 2^ring. */
function monomials(term: Term, index: number, layout: Layout, width: number, ring: number): Monomial[] {
  let chosen: Secret[][] = [[]]
  term.forEach((f, factor) => {
    const parts = f.value.lift > 0 ? (['rho', 'top'] as const) : (['mask'] as const)
    chosen = [...chosen, ...chosen.flatMap((s) => parts.map((part) => [...s, { factor, part }]))]
  })
  const out: Monomial[] = []
  for (const secrets of chosen) {
    if (secrets.length < 2) continue
    // A top bit comes with a factor 2^d, so fewer bits of it matter.
    const bits = secrets.reduce((k, s) => k - (s.part === 'top' ? term[s.factor].value.ring : 0), ring)
    if (bits <= 0) continue
    const repeat = Math.min(...secrets.map((s) => term[s.factor].repeat ?? 1))
    const name = `${index}:${secrets.map((s) => s.part + s.factor).join('.')}`
    out.push({ secrets, repeat, slot: { name, layout, width: width / repeat, bits } })
  }
  return out
}

/**
 * The sum of products of opened values, elementwise: rows x width, mod 2^ring. No message.
 *
 * Each factor is a public part plus dealt secrets: multiplied out, every monomial of one secret is a share that the
 * parties hold already, and every longer one is dealt.
 */
export function product(
  plan: PlanBuilder,
  terms: readonly Term[],
  type: { width: number; ring: number; frac: number },
): Share {
  const { width, ring } = type
  const { layout } = terms[0][0].value
  const all = terms.map((term, t) => monomials(term, t, layout, width, ring))
  const values = [...new Set(terms.flat().map((f) => f.value))]
  for (const v of values)
    if (Math.max(v.lift, v.ring) < ring) throw new RangeError(`product: a factor reaches Z_2^${v.lift} only`)
  const m = maskOf(ring)
  return plan.step<Share>('product', { kind: 'share', layout, ...type }, values, (id) => ({
    slots: all.flat().map((x) => x.slot),
    deal: (ctx) => terms.flatMap((term, t) => dealt(ctx, term, all[t])),
    run(ctx) {
      const out = new BigUint64Array(rowsOf(ctx.shape, layout) * width)
      terms.forEach((term, t) => {
        accumulate(ctx, id, term, all[t], out, width)
      })
      for (let i = 0; i < out.length; i++) out[i] = out[i] & m
      return out
    },
    plain(ctx) {
      const rows = rowsOf(ctx.shape, layout)
      const out = new BigUint64Array(rows * width)
      for (const term of terms) {
        const lanes = term.map((f) => ctx.get(f.value))
        for (let r = 0, i = 0; r < rows; r++)
          for (let j = 0; j < width; j++, i++) {
            let p = 1n
            for (let f = 0; f < term.length; f++)
              p *= signed(lanes[f][columnOf(term[f], r, j)], term[f].value.ring)
            out[i] = BigInt.asUintN(64, out[i] + p) & m
          }
      }
      return out
    },
  }))
}

/** A row value's columns spread over the output's: rows x width. */
function spread(f: Factor, source: Lanes, rows: number, width: number): Lanes {
  const { from = 0, repeat = 1, value } = f
  if (repeat === 1 && from === 0 && value.width === width) return source
  const out = new BigUint64Array(rows * width)
  for (let r = 0, i = 0; r < rows; r++)
    for (let j = 0, at = r * value.width + from; j < width; j += repeat, at++)
      for (let k = 0; k < repeat; k++) out[i++] = source[at]
  return out
}

/** The dealer's true value of one secret, before it is spread. */
function secretLanes(ctx: DealContext, x: Opened, part: Secret['part']): Lanes {
  const a = ctx.mask(x)
  if (part === 'mask') return a
  const m = maskOf(x.ring)
  const out = new BigUint64Array(a.length)
  // A choice between values inside a loop would make each of them an object, so the loops are separate.
  for (let i = 0; i < out.length; i++) out[i] = BigInt.asUintN(64, -a[i]) & m
  return part === 'rho' ? out : shiftRight(out, x.ring - 1)
}

function multiplyInto(acc: Lanes, by: Lanes): Lanes {
  for (let i = 0; i < acc.length; i++) acc[i] = BigInt.asUintN(64, acc[i] * by[i])
  return acc
}

function addInto(out: Lanes, acc: Lanes): void {
  for (let i = 0; i < out.length; i++) out[i] = BigInt.asUintN(64, out[i] + acc[i])
}

/** True values of the monomials of one term. */
function dealt(ctx: DealContext, term: Term, monos: readonly Monomial[]): Lanes[] {
  const known = new Map<string, Lanes>()
  return monos.map(({ secrets, slot, repeat }) => {
    const rows = rowsOf(ctx.shape, slot.layout)
    const parts = secrets.map(({ factor, part }) => {
      const key = `${factor}${part}${repeat}`
      const f = term[factor]
      // Where columns repeat, one dealt value serves them all.
      const own = { ...f, repeat: (f.repeat ?? 1) / repeat }
      const lanes = known.get(key) ?? spread(own, secretLanes(ctx, f.value, part), rows, slot.width)
      known.set(key, lanes)
      return lanes
    })
    return parts.slice(1).reduce(multiplyInto, parts[0].slice())
  })
}

/** The public and shared views of a factor, spread over the output's columns. */
interface View {
  readonly pub: Lanes
  /** This party's share of the whole secret part. */
  readonly single: Lanes
  /** 2^d B: what a top bit is multiplied by. */
  readonly top?: Lanes
}

function viewOf(ctx: PartyContext, f: Factor, rows: number, width: number): View {
  const over = (lanes: Lanes): Lanes => spread(f, lanes, rows, width)
  if (f.value.lift === 0) return { pub: over(ctx.get(f.value)), single: over(ctx.mask(f.value)) }
  const view = lifted(ctx, f.value)
  const scale = 1n << BigInt(f.value.ring)
  const top = new BigUint64Array(view.wrap.length)
  for (let i = 0; i < top.length; i++) top[i] = view.wrap[i] === 1n ? scale : 0n
  return { pub: over(view.pub), single: over(view.share), top: over(top) }
}

/** Adds this party's share of one term. */
function accumulate(
  ctx: PartyContext,
  id: number,
  term: Term,
  monos: readonly Monomial[],
  out: Lanes,
  width: number,
): void {
  const rows = rowsOf(ctx.shape, term[0].value.layout)
  const views = term.map((f) => viewOf(ctx, f, rows, width))
  const publics = (acc: Lanes, except: readonly number[]): Lanes => {
    views.forEach((v, k) => {
      if (!except.includes(k)) multiplyInto(acc, v.pub)
    })
    return acc
  }
  if (ctx.role === 'server') addInto(out, publics(views[0].pub.slice(), [0]))
  views.forEach((v, k) => {
    addInto(out, publics(v.single.slice(), [k]))
  })
  for (const { secrets, slot, repeat } of monos) {
    const share = ctx.correlation(id, slot)
    const acc = new BigUint64Array(out.length)
    for (let i = 0, at = 0; i < acc.length; at++) for (let k = 0; k < repeat; k++) acc[i++] = share[at]
    const isNegative = secrets.filter((s) => s.part === 'rho').length % 2 === 1
    if (isNegative) for (let i = 0; i < acc.length; i++) acc[i] = BigInt.asUintN(64, -acc[i])
    for (const s of secrets) {
      const { top } = views[s.factor]
      if (s.part === 'top' && top) multiplyInto(acc, top)
    }
    addInto(
      out,
      publics(
        acc,
        secrets.map((s) => s.factor),
      ),
    )
  }
}
