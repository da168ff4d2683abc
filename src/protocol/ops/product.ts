import type { DealContext, PartyContext } from '../context.ts'
import { type Layout, type Opened, type PlanBuilder, rowsOf, type Share, type Slot } from '../plan.ts'
import { type Lanes, maskOf, shiftRight, signed } from '../ring.ts'
import { type Lifted, lifted } from './lift.ts'

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

/** A factor's columns, each `repeat / every` times: what the output reads of it where `every` columns are one. */
function columns(f: Factor, source: Lanes, rows: number, width: number, every: number): Lanes {
  const { from = 0, repeat = 1, value } = f
  const n = width / every
  const times = repeat / every
  if (times === 1 && from === 0 && value.width === n) return source
  const out = new BigUint64Array(rows * n)
  for (let r = 0, i = 0; r < rows; r++)
    for (let j = 0, at = r * value.width + from; j < n; j += times, at++)
      for (let k = 0; k < times; k++) out[i++] = source[at]
  return out
}

/** The dealer's true value of one secret, before its columns repeat. */
function secretLanes(ctx: DealContext, x: Opened, part: Secret['part']): Lanes {
  const a = ctx.mask(x)
  if (part === 'mask') return a
  const m = maskOf(x.ring)
  const out = new BigUint64Array(a.length)
  // A choice between values inside a loop would make each of them an object, so the loops are separate.
  for (let i = 0; i < out.length; i++) out[i] = BigInt.asUintN(64, -a[i]) & m
  return part === 'rho' ? out : shiftRight(out, x.ring - 1)
}

function multiplyInto(acc: Lanes, by: Lanes): void {
  for (let i = 0; i < acc.length; i++) acc[i] = BigInt.asUintN(64, acc[i] * by[i])
}

/** Every run of acc as long as acc is than by, times one lane of by. */
function multiplyRuns(acc: Lanes, by: Lanes): void {
  const run = acc.length / by.length
  for (let g = 0, i = 0; g < by.length; g++)
    for (const end = i + run; i < end; i++) acc[i] = BigInt.asUintN(64, acc[i] * by[g])
}

/** True values of the monomials of one term. */
function dealt(ctx: DealContext, term: Term, monos: readonly Monomial[]): Lanes[] {
  const known = new Map<string, Lanes>()
  return monos.map(({ secrets, slot, repeat }) => {
    const rows = rowsOf(ctx.shape, slot.layout)
    const lanes = secrets.map(({ factor, part }) => {
      const f = term[factor]
      // Where columns repeat, one dealt value serves them all; what repeats further is read by runs.
      const every = f.repeat ?? 1
      const key = `${factor}${part}`
      const own =
        known.get(key) ?? columns(f, secretLanes(ctx, f.value, part), rows, slot.width * repeat, every)
      known.set(key, own)
      return own
    })
    const [first, ...rest] = lanes.sort((x, y) => y.length - x.length)
    const out = first.slice()
    for (const other of rest) multiplyRuns(out, other)
    return out
  })
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
