import type { PartyContext } from '../context.ts'
import { type Opened, type PlanBuilder, rowsOf, type Share } from '../plan.ts'
import { type Lanes, maskOf, signed } from '../ring.ts'
import { type Lifted, lifted } from './lift.ts'
import {
  columnOf,
  columns,
  dealt,
  type Factor,
  type Monomial,
  monomials,
  multiplyInto,
  type Term,
} from './monomials.ts'

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
      // Terms share factors.
      const known = new Map<Opened, Lifted>()
      terms.forEach((term, t) => {
        accumulate(ctx, id, term, all[t], out, width, known)
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

/** The public and shared views of a factor, over the output's columns or its runs of them. */
interface View {
  readonly pub: Lanes
  /** This party's share of the whole secret part. */
  readonly single: Lanes
  /** B, where the value is lifted: what a top bit is multiplied by, beside 2^d. */
  readonly wrap?: Lanes
  readonly scale: bigint
}

function viewOf(
  ctx: PartyContext,
  f: Factor,
  rows: number,
  width: number,
  every: number,
  known: Map<Opened, Lifted>,
): View {
  const over = (lanes: Lanes): Lanes => columns(f, lanes, rows, width, every)
  const { value } = f
  if (value.lift === 0) return { pub: over(ctx.get(value)), single: over(ctx.mask(value)), scale: 1n }
  const view = known.get(value) ?? lifted(ctx, value)
  known.set(value, view)
  const { pub, share, wrap } = view
  return { pub: over(pub), single: over(share), wrap: over(wrap), scale: 1n << BigInt(value.ring) }
}

/** out += the product of some lanes (as long as out) times a coefficient for each run of columns. */
function addScaled(out: Lanes, lanes: readonly Lanes[], by: Lanes): void {
  const run = out.length / by.length
  let a = lanes[0]
  if (lanes.length > 2) {
    a = a.slice()
    for (const other of lanes.slice(1)) multiplyInto(a, other)
  }
  const b = lanes.length === 2 ? lanes[1] : undefined
  for (let g = 0, i = 0; g < by.length; g++) {
    const end = i + run
    if (b)
      for (; i < end; i++)
        out[i] = BigInt.asUintN(64, out[i] + BigInt.asUintN(64, BigInt.asUintN(64, a[i] * b[i]) * by[g]))
    else for (; i < end; i++) out[i] = BigInt.asUintN(64, out[i] + BigInt.asUintN(64, a[i] * by[g]))
  }
}

/** Columns in a row that share the factors that repeat most. */
const runOf = (term: Term): number => Math.max(...term.map((f) => f.repeat ?? 1))

/**
 * Adds this party's share of one term. Factors that repeat enter by runs of columns, so that all of a run's arithmetic
 * that no wide factor takes part in is done once: what is left for each column is a multiplication for each monomial.
 */
function accumulate(
  ctx: PartyContext,
  id: number,
  term: Term,
  monos: readonly Monomial[],
  out: Lanes,
  width: number,
  known: Map<Opened, Lifted>,
): void {
  const rows = rowsOf(ctx.shape, term[0].value.layout)
  const run = runOf(term)
  const groups = run === 1 ? 1 : out.length / run
  const isWide = term.map((f) => run === 1 || (f.repeat ?? 1) < run)
  const views = term.map((f, k) => viewOf(ctx, f, rows, width, isWide[k] ? 1 : run, known))
  const constant = (c: bigint): Lanes => new BigUint64Array(groups).fill(BigInt.asUintN(64, c))
  /** Adds c times the product of the public parts of all factors but some, and of further lanes. */
  const contribute = (c: Lanes, except: readonly number[], lanes: readonly Lanes[]): void => {
    const wide = [...lanes]
    views.forEach(({ pub }, k) => {
      if (except.includes(k)) return
      if (isWide[k]) wide.push(pub)
      else multiplyInto(c, pub)
    })
    addScaled(out, wide, c)
  }
  if (ctx.role === 'server') contribute(constant(1n), [], [])
  views.forEach(({ single }, k) => {
    if (isWide[k]) contribute(constant(1n), [k], [single])
    else contribute(single.slice(), [k], [])
  })
  for (const { secrets, slot, repeat } of monos) {
    const share = ctx.correlation(id, slot)
    const isNegative = secrets.filter((s) => s.part === 'rho').length % 2 === 1
    const tops = secrets.filter((s) => s.part === 'top').map((s) => s.factor)
    let scale = isNegative ? -1n : 1n
    for (const k of tops) scale *= views[k].scale
    const c = constant(scale)
    const lanes: Lanes[] = []
    if (repeat === run && run > 1) multiplyInto(c, share)
    else lanes.push(share)
    for (const k of tops) {
      const { wrap } = views[k]
      if (!wrap) continue
      if (isWide[k]) lanes.push(wrap)
      else multiplyInto(c, wrap)
    }
    contribute(
      c,
      secrets.map((s) => s.factor),
      lanes,
    )
  }
}
