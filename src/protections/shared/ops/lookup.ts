import type { Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { bitsAt, type Lanes, maskOf } from '../ring.ts'
import type { Scale } from '../scale.ts'
import type { Rotations } from '../tables/rotations.ts'
import { type Opened, type Share, share } from '../values.ts'

/** What a table's words are. */
export interface LookupType {
  readonly ring: number
  readonly scale: Scale
}

/**
 * f(v) of an opened v by a one-time table of all its values (Ishai et al., 2013): the dealer deals f rotated by the mask,
 * shared word by word, and each party reads its share at D. Same layout, mod 2^ring; 2^v.ring words an element, from
 * `fullTable` of as many bits. No message. Throws `RangeError` where the table is another ring's, or v has an offset.
 */
export function lookup(plan: PlanBuilder, v: Opened, table: Rotations, type: LookupType): Share {
  const { layout, width } = v
  const { shift, entries, words } = table.spec
  if (shift > 0 || words > 1 || entries !== 2 ** v.ring || v.offset > 0n)
    throw new RangeError(`lookup: a table of ${entries} entries is not of all values of Z_2^${v.ring}`)
  const slot: Slot = { name: 'table', layout, width, entries, bits: type.ring }
  const m = maskOf(type.ring)
  return plan.step<Share>('lookup', share({ layout, width, ...type }), [v], (id) => ({
    slots: [slot],
    prepare: () => table.prepare(),
    deal: (ctx) => [table.dealt(bitsAt(ctx.mask(v), 0, v.ring))],
    run: (ctx) => ctx.lookup(id, slot, bitsAt(ctx.get(v), 0, v.ring)),
    oracle(ctx): Lanes {
      const all = table.at(0)
      return BigUint64Array.from(bitsAt(ctx.get(v), 0, v.ring), (x) => all[x] & m)
    },
  }))
}
