/** Products of opened values multiplied out: which secrets meet, and what the dealer gives of them. */
import { type Program, program, type Value } from '../../../kernels/program.ts'
import type { DealContext } from '../context.ts'
import type { Opened, Slot } from '../plan.ts'
import type { Lanes } from '../ring.ts'
import { type Layout, rowsOf } from '../shape.ts'

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
export interface Monomial {
  readonly secrets: readonly Secret[]
  readonly slot: Slot
  /** Output columns that share one dealt value. */
  readonly repeat: number
}

export const columnOf = (f: Factor, row: number, j: number): number =>
  row * f.value.width + (f.from ?? 0) + Math.floor(j / (f.repeat ?? 1))

/** Every monomial of two and more secrets that does not vanish mod 2^ring. */
export function monomials(
  term: Term,
  index: number,
  layout: Layout,
  width: number,
  ring: number,
): Monomial[] {
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

/** A factor's columns, each `repeat / every` times: what the output reads of it where `every` columns are one. */
export function columns(f: Factor, source: Lanes, rows: number, width: number, every: number): Lanes {
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

export function multiplyInto(acc: Lanes, by: Lanes): void {
  for (let i = 0; i < acc.length; i++) acc[i] = BigInt.asUintN(64, acc[i] * by[i])
}

/** Monomials whose columns repeat alike, as one program over the masks of their factors. */
interface Batch {
  readonly factors: readonly Factor[]
  readonly program: Program<Lanes[]>
  readonly repeat: number
  /** The monomials' places among the term's. */
  readonly places: readonly number[]
}

function batch(term: Term, monos: readonly Monomial[], repeat: number): Batch {
  const places = [...monos.keys()].filter((i) => monos[i].repeat === repeat)
  const used = [...new Set(places.flatMap((i) => monos[i].secrets.map((s) => s.factor)))]
  const made = program<Lanes[]>((p) => {
    const secrets = new Map<string, Value>()
    for (const k of used) {
      const { value, repeat: own = 1 } = term[k]
      const a = p.runs(own / repeat)
      secrets.set(`mask${k}`, a)
      if (value.lift === 0) continue
      const rho = p.reduce(p.from(0n, a), value.ring)
      secrets.set(`rho${k}`, rho)
      secrets.set(`top${k}`, p.shr(rho, value.ring - 1))
    }
    return places.map((i) => {
      const [first, ...rest] = monos[i].secrets.map((s) => secrets.get(`${s.part}${s.factor}`) as Value)
      return p.out(rest.reduce((x, y) => p.mul(x, y), first))
    })
  })
  return { factors: used.map((k) => term[k]), program: made, repeat, places }
}

/** True values of the monomials of one term, as a function of the masks. */
export function dealer(term: Term, monos: readonly Monomial[], width: number): (ctx: DealContext) => Lanes[] {
  const batches = [...new Set(monos.map((m) => m.repeat))].map((repeat) => batch(term, monos, repeat))
  return (ctx) => {
    const out: Lanes[] = []
    for (const { factors, program: p, repeat, places } of batches) {
      const rows = rowsOf(ctx.shape, term[0].value.layout)
      const masks = factors.map((f) => columns(f, ctx.mask(f.value), rows, width, f.repeat ?? 1))
      const found = ctx.evaluate(p, masks, (rows * width) / repeat)
      for (const [k, i] of places.entries()) out[i] = found[k]
    }
    return out
  }
}
