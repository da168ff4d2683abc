import type { PlanBuilder } from '../../plan.ts'
import { levelCount } from '../../tables/levels.ts'
import type { Opened } from '../../values.ts'
import { combineLevels } from '../combine-levels.ts'
import { type InverseOptions, inverse } from '../inverse.ts'
import { open } from '../open.ts'
import type { Masking, Term } from '../product/monomials.ts'
import { truncate } from '../truncate.ts'

/**
 * Parts of what `openInverse` opens: two levels are multiplied out where they are used, f = coarse + gate x fine; more
 * are put together before.
 */
export const inverseLevels = (o: { fineShift?: number; levels?: number }): number =>
  levelCount(o) === 2 ? 3 : 1

/**
 * `inverse`, opened in Z_2^bits for a product in Z_2^lift, as `timesInverse` takes it. More than two levels are put
 * together by an opening of their own.
 */
export function openInverse(
  plan: PlanBuilder,
  v: Opened,
  o: Omit<InverseOptions, 'ring'> & { bits: number; lift: number },
): Opened {
  const { bits, lift } = o
  const found = truncate(plan, inverse(plan, v, { ...o, ring: bits + o.basisBits }), o.basisBits)
  if (levelCount(o) <= 2) return open(plan, found, { bits, lift })
  const whole = combineLevels(plan, open(plan, found, { bits }), levelCount(o))
  return open(plan, whole, { bits, lift })
}

/**
 * The terms of x times the opened result of `openInverse`: x·coarse + x·gate·fine. `repeat` columns share one result.
 */
export function timesInverse<V extends Masking & Pick<Opened, 'width'>>(
  x: V,
  r: V,
  levels: number,
  repeat: number,
): Term<V>[] {
  const width = r.width / levels
  const part = (level: number) => ({ value: r, from: level * width, repeat })
  if (levels === 1) return [[{ value: x }, part(0)]]
  return [
    [{ value: x }, part(0)],
    [{ value: x }, part(1), part(2)],
  ]
}
