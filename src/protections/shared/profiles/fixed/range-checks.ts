/**
 * Whether every value of a pass is in the range that its ring was chosen for. Shares keep a few bits above what is opened of
 * them (`Precision.guard`), so that a value that does not fit shows in those. What has the same place in the model is told to the
 * owner as one alarm a row.
 *
 * Not looked at are values that cannot leave their range while those that are looked at do not: what a norm gives, an average of
 * attention's values, powers below a row's maximum and their sums, and what is read of tables.
 */

import { aboveFloor } from '../../ops/above-floor.ts'
import { alarm } from '../../ops/composed/alarm.ts'
import { overflow } from '../../ops/overflow.ts'
import { release } from '../../ops/release.ts'
import { stray, type Window } from '../../ops/stray.ts'
import type { PlanBuilder } from '../../plan.ts'
import { rowLayout } from '../../shape.ts'
import type { Opened, Share } from '../../values.ts'

/** log2 of a window's segments; of a row's one sum of squares, whose table keeps a sixteenth free. */
const SEGMENTS = 4
const SUM_SEGMENTS = 5

export class RangeChecks {
  readonly #of: { readonly plan: PlanBuilder }
  readonly #guard: number
  readonly #hasSecrets: boolean
  readonly #found = new Map<string, { place: string; values: Share[] }>()
  readonly #floors: { place: string; value: Share }[] = []
  #place = ''

  /** @param hasSecrets whether a weight is private */
  constructor(of: { readonly plan: PlanBuilder }, guard: number, hasSecrets: boolean) {
    this.#of = of
    this.#guard = guard
    this.#hasSecrets = hasSecrets
  }

  /** Where in the model what follows belongs to, for people. */
  at(place: string): void {
    this.#place = place
  }

  /** x, of which an opening was made that is lifted. */
  lifted(x: Share, opened: Opened): void {
    this.#add(overflow(this.#of.plan, x, opened))
  }

  /**
   * x, of which an opening was made that tables are read by: signed, |x| < 2^(bits-1) less a margin. Within 2^(bits-segments) of
   * that, values may be taken for too large.
   */
  within(x: Share, opened: Opened, o: { bits?: number; segments?: number; margin?: number } = {}): void {
    const { bits = opened.ring, segments = SEGMENTS, margin } = o
    this.#window(x, opened, {
      low: -(1n << BigInt(bits - 1)),
      bits,
      segments: Math.min(segments, bits),
      margin,
    })
  }

  /** Likewise of indices in [0, 2^bits): the first and last two may be taken for none. */
  indices(x: Share, opened: Opened): void {
    const bits = opened.ring
    const segments = Math.min(bits, Math.max(SEGMENTS, bits - 1))
    this.#window(x, opened, { low: 0n, bits, segments })
  }

  /** Sums of squares, below 15/16 of 2^bits, whose inverse roots are read of tables: and none below their floor. */
  sums(x: Share, opened: Opened, table: Parameters<typeof aboveFloor>[2]): void {
    const bits = opened.ring
    const low = -(1n << BigInt(bits - 4))
    this.#window(x, opened, { low, bits, segments: SUM_SEGMENTS }, x.ring)
    this.#floors.push({ value: aboveFloor(this.#of.plan, opened, table), place: this.#place })
  }

  #window(x: Share, opened: Opened, window: Window, ring = window.bits + this.#guard): void {
    this.#add(stray(this.#of.plan, x, opened, window, Math.min(x.ring, ring)))
  }

  #add(value: Share): void {
    const name = `${this.#place} ${rowLayout(value.layout)}`
    const { values } = this.#found.get(name) ?? { values: [] }
    this.#found.set(name, { place: this.#place, values: [...values, value] })
  }

  /** What the owner is told. To be called once, before what is released last. */
  release(): void {
    for (const { place, values } of this.#found.values())
      this.#of.plan.alarms.push({
        value: alarm(this.#of.plan, values, this.#hasSecrets),
        place,
        good: 'zero',
      })
    for (const { place, value } of this.#floors)
      this.#of.plan.alarms.push({ value: release(this.#of.plan, value), place, good: 'nonzero' })
  }
}
