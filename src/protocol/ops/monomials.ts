/** Products of opened values multiplied out: which secrets meet, and what the dealer gives of them. */
import type { DealContext } from '../context.ts'
import { type Layout, type Opened, rowsOf, type Slot } from '../plan.ts'
import { type Lanes, maskOf, shiftRight } from '../ring.ts'

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

export function multiplyInto(acc: Lanes, by: Lanes): void {
  for (let i = 0; i < acc.length; i++) acc[i] = BigInt.asUintN(64, acc[i] * by[i])
}

/** Every run of acc as long as acc is than by, times one lane of by. */
function multiplyRuns(acc: Lanes, by: Lanes): void {
  const run = acc.length / by.length
  for (let g = 0, i = 0; g < by.length; g++)
    for (const end = i + run; i < end; i++) acc[i] = BigInt.asUintN(64, acc[i] * by[g])
}

/** True values of the monomials of one term. */
export function dealt(ctx: DealContext, term: Term, monos: readonly Monomial[]): Lanes[] {
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
