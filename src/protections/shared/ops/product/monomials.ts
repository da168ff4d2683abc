/** Products of opened values multiplied out: which secrets meet, and what the dealer gives of them. */
import type { Slot } from '../../dealt.ts'
import type { Lanes } from '../../ring.ts'
import type { Layout } from '../../shape.ts'
import type { Opened } from '../../values.ts'

/** What of a factor's value decides which secrets it has. */
export type Masking = Pick<Opened, 'ring' | 'lift'>

/** A factor and the columns it contributes: output column j reads column from + floor(j / repeat). */
export interface Factor<V extends Masking = Opened> {
  readonly value: V
  readonly from?: number
  readonly repeat?: number
}

export type Term<V extends Masking = Opened> = readonly Factor<V>[]

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
  term: Term<Masking>,
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

/** Dealt bits of a sum of products for every output column, besides what columns share: see `Cost.dealt`. */
export const bitsPerColumn = (terms: readonly Term<Masking>[], ring: number): number =>
  terms
    .flatMap((term, t) => monomials(term, t, 'row', 1, ring))
    .reduce((sum, { repeat, slot }) => sum + (repeat === 1 ? slot.bits : 0), 0)

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
