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

/** A product of factors; only the first may be lifted, the others were opened in the product's own ring. */
export type Term = readonly [Factor, ...Factor[]]

interface Monomial {
  /** Factors (by position) whose secret part it multiplies; the others enter with their public part. */
  readonly secrets: readonly number[]
  /** Which secret of a lifted first factor: rho itself, or rho where its top bit is set to undo a wrap. */
  readonly part: 'plain' | 'rho' | 'top'
  readonly slot: Slot
}

/** Masked monomials of two and more factors, for which the dealer gives correlations. */
function monomials(term: Term, index: number, layout: Layout, width: number, ring: number): Monomial[] {
  const out: Monomial[] = []
  const isLifted = term[0].value.lift > 0
  for (let set = 1; set < 1 << term.length; set++) {
    const secrets = term.map((_, i) => i).filter((i) => set & (1 << i))
    if (secrets.length < 2) continue
    const name = `${index}:${secrets.join('')}`
    const withFirst = isLifted && secrets[0] === 0
    const columns = withFirst || !isLifted ? width : width / (term[1].repeat ?? 1)
    const slot = (part: Monomial['part'], bits: number): Monomial => ({
      secrets,
      part,
      slot: { name: `${name}${part}`, layout, width: columns, bits },
    })
    if (withFirst) out.push(slot('rho', ring), slot('top', ring - term[0].value.ring))
    else out.push(slot('plain', ring))
  }
  return out
}

const columnOf = (f: Factor, row: number, j: number): number =>
  row * f.value.width + (f.from ?? 0) + Math.floor(j / (f.repeat ?? 1))

/**
 * The sum of products of opened values, elementwise: rows x width, mod 2^ring. No message.
 *
 * Each factor is a public part plus a dealt secret: multiplied out, every monomial of one secret is a share that the
 * parties hold, and every longer one is dealt.
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
            for (let f = 0; f < term.length; f++) p *= signed(lanes[f][columnOf(term[f], r, j)], term[f].value.ring)
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
  const narrow = mono.part === 'plain' && term[0].value.lift > 0
  for (const f of mono.secrets) {
    const factor = narrow ? { ...term[f], repeat: 1 } : term[f]
    const a = ctx.mask(factor.value)
    const isFirst = f === 0 && mono.part !== 'plain'
    const md = maskOf(factor.value.ring)
    const half = 1n << BigInt(factor.value.ring - 1)
    for (let r = 0, i = 0; r < rows; r++)
      for (let j = 0; j < width; j++, i++) {
        let s = a[columnOf(factor, r, j)]
        if (isFirst) {
          s = BigInt.asUintN(64, -s) & md
          if (mono.part === 'top') s = s >= half ? 1n : 0n
        }
        out[i] = BigInt.asUintN(64, out[i] * s)
      }
  }
  return out
}

/** Adds this party's share of one term. */
function accumulate(ctx: PartyContext, id: number, term: Term, monos: Monomial[], out: Lanes, width: number): void {
  const first = term[0].value
  const rows = rowsOf(ctx.shape, first.layout)
  const view = first.lift > 0 ? lifted(ctx, first) : undefined
  const pubs = term.map((f, i) => (i === 0 && view ? view.pub : ctx.get(f.value)))
  const singles = term.map((f, i) => (i === 0 && view ? view.share : ctx.mask(f.value)))
  const server = ctx.role === 'server'
  const scale = first.lift > 0 ? 1n << BigInt(first.ring) : 0n
  /** Multiplies `acc` by the public parts of the factors outside `secrets`. */
  const times = (acc: Lanes, secrets: readonly number[]): Lanes => {
    term.forEach((f, k) => {
      if (secrets.includes(k)) return
      const pub = pubs[k]
      for (let r = 0, i = 0; r < rows; r++)
        for (let j = 0; j < width; j++, i++) acc[i] = BigInt.asUintN(64, acc[i] * pub[columnOf(f, r, j)])
    })
    return acc
  }
  const plus = (acc: Lanes): void => {
    for (let i = 0; i < out.length; i++) out[i] = BigInt.asUintN(64, out[i] + acc[i])
  }
  if (server) plus(times(new BigUint64Array(out.length).fill(1n), []))
  term.forEach((f, k) => {
    const acc = new BigUint64Array(out.length)
    for (let r = 0, i = 0; r < rows; r++) for (let j = 0; j < width; j++, i++) acc[i] = singles[k][columnOf(f, r, j)]
    plus(times(acc, [k]))
  })
  for (const mono of monos) {
    const share = ctx.correlation(id, mono.slot)
    const repeat = width / mono.slot.width
    const acc = new BigUint64Array(out.length)
    for (let r = 0, i = 0; r < rows; r++)
      for (let j = 0; j < width; j++, i++) {
        const s = share[r * mono.slot.width + Math.floor(j / repeat)]
        if (mono.part === 'plain') acc[i] = s
        else if (mono.part === 'rho') acc[i] = BigInt.asUintN(64, -s)
        else {
          const wrap = view ? view.wrap[columnOf(term[0], r, j)] : 0n
          acc[i] = BigInt.asUintN(64, scale * BigInt.asUintN(64, wrap * s))
        }
      }
    plus(times(acc, mono.secrets))
  }
}
