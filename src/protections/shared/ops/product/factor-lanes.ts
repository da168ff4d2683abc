/** What a run of a product's program is given: the views of its factors as arrays, and coefficients made of them. */
import type { PartyContext } from '../../context.ts'
import type { Lanes } from '../../ring.ts'
import type { Opened } from '../../values.ts'
import { type Lifted, liftedLanes } from '../parts/lifting.ts'

/** The public and shared parts of a factor, and (lifted ones) B. */
export type View<T> = Pick<Lifted<T>, 'pub' | 'share'> & Partial<Lifted<T>>

/** One pass through a product: its step, and what its terms have in common. */
export interface Pass {
  readonly ctx: PartyContext
  readonly id: number
  readonly rows: number
  readonly views: Map<Opened, View<Lanes>>
}

/** A scale, and lanes for each run of columns to be multiplied by it, known when the program runs. */
export interface Coefficient {
  readonly scale: bigint
  readonly runs: readonly ((pass: Pass) => Lanes)[]
}

/** One part of a factor's view as an array. */
export function partOf({ ctx, views }: Pass, value: Opened, part: keyof View<Lanes>): Lanes {
  const view =
    views.get(value) ??
    (value.lift > 0 ? liftedLanes(ctx, value) : { pub: ctx.get(value), share: ctx.mask(value) })
  views.set(value, view)
  const lanes = view[part]
  if (!lanes) throw new RangeError(`step ${value.step} is opened in the product's own ring`)
  return lanes
}

/** acc *= by, lane by lane, mod 2^64. */
function multiplyInto(acc: Lanes, by: Lanes): void {
  for (let i = 0; i < acc.length; i++) acc[i] = BigInt.asUintN(64, acc[i] * by[i])
}

/** The sum of products of lanes, a scale each. */
export function coefficient(pass: Pass, parts: readonly Coefficient[]): Lanes {
  const [first] = parts.flatMap(({ runs }) => runs)
  const out = new BigUint64Array(first(pass).length)
  for (const { scale, runs } of parts) {
    const c = new BigUint64Array(out.length).fill(BigInt.asUintN(64, scale))
    for (const lanes of runs) multiplyInto(c, lanes(pass))
    for (let i = 0; i < out.length; i++) out[i] = BigInt.asUintN(64, out[i] + c[i])
  }
  return out
}
