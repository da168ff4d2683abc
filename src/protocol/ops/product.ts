import type { DealContext, PartyContext } from '../context.ts'
import { type Layout, type Opened, type PlanBuilder, rowsOf, type Share, type Slot } from '../plan.ts'
import { type Lanes, maskOf, signed } from '../ring.ts'
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
    deal: (ctx) => terms.flatMap((term, t) => all[t].map((mono) => dealt(ctx, term, mono))),
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

/** True values of one monomial. */
function dealt(ctx: DealContext, term: Term, mono: Monomial): Lanes {
  const { width, layout } = mono.slot
  const rows = rowsOf(ctx.shape, layout)
  const out = new BigUint64Array(rows * width).fill(1n)
  for (const { factor, part } of mono.secrets) {
    const f = term[factor]
    const a = ctx.mask(f.value)
    const md = maskOf(f.value.ring)
    const half = 1n << BigInt(f.value.ring - 1)
    for (let r = 0, i = 0; r < rows; r++)
      for (let j = 0; j < width; j++, i++) {
        let s = a[columnOf(f, r, j * mono.repeat)]
        if (part !== 'mask') {
          s = BigInt.asUintN(64, -s) & md
          if (part === 'top') s = s >= half ? 1n : 0n
        }
        out[i] = BigInt.asUintN(64, out[i] * s)
      }
  }
  return out
}

/** The public and single-secret views of a factor, spread over the output's columns. */
interface Spread {
  readonly pub: Lanes
  readonly single: Lanes
  /** 2^d B: what a top bit is multiplied by. */
  readonly top: Lanes
}

function spread(ctx: PartyContext, f: Factor, rows: number, width: number): Spread {
  const view = f.value.lift > 0 ? lifted(ctx, f.value) : undefined
  const source = { pub: view?.pub ?? ctx.get(f.value), single: view?.share ?? ctx.mask(f.value) }
  const pub = new BigUint64Array(rows * width)
  const single = new BigUint64Array(rows * width)
  const top = new BigUint64Array(view ? rows * width : 0)
  const scale = 1n << BigInt(f.value.ring)
  for (let r = 0, i = 0; r < rows; r++)
    for (let j = 0; j < width; j++, i++) {
      const at = columnOf(f, r, j)
      pub[i] = source.pub[at]
      single[i] = source.single[at]
      if (view) top[i] = view.wrap[at] === 1n ? scale : 0n
    }
  return { pub, single, top }
}

function multiplyInto(acc: Lanes, by: Lanes): void {
  for (let i = 0; i < acc.length; i++) acc[i] = BigInt.asUintN(64, acc[i] * by[i])
}

function addInto(out: Lanes, acc: Lanes): void {
  for (let i = 0; i < out.length; i++) out[i] = BigInt.asUintN(64, out[i] + acc[i])
}

/** Adds this party's share of one term. */
function accumulate(
  ctx: PartyContext,
  id: number,
  term: Term,
  monos: Monomial[],
  out: Lanes,
  width: number,
): void {
  const rows = rowsOf(ctx.shape, term[0].value.layout)
  const views = term.map((f) => spread(ctx, f, rows, width))
  const publics = (acc: Lanes, except: readonly number[]): Lanes => {
    views.forEach((v, k) => {
      if (!except.includes(k)) multiplyInto(acc, v.pub)
    })
    return acc
  }
  if (ctx.role === 'server') addInto(out, publics(new BigUint64Array(out.length).fill(1n), []))
  views.forEach((v, k) => {
    addInto(out, publics(v.single.slice(), [k]))
  })
  for (const mono of monos) {
    const share = ctx.correlation(id, mono.slot)
    const acc = new BigUint64Array(out.length)
    const negative = mono.secrets.filter((s) => s.part === 'rho').length % 2 === 1
    for (let i = 0; i < acc.length; i++) acc[i] = share[Math.floor(i / mono.repeat)]
    if (negative) for (let i = 0; i < acc.length; i++) acc[i] = BigInt.asUintN(64, -acc[i])
    for (const s of mono.secrets) if (s.part === 'top') multiplyInto(acc, views[s.factor].top)
    addInto(
      out,
      publics(
        acc,
        mono.secrets.map((s) => s.factor),
      ),
    )
  }
}
