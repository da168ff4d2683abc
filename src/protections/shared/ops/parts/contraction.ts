/** What the two contractions of attention have in common: cached opened operands whose masks persist. */
import type { Contraction } from '../../../../kernels/contraction.ts'
import { lanesOf } from '../../../../kernels/lanes.ts'
import { program } from '../../../../kernels/program.ts'
import type { PartyContext } from '../../context.ts'
import { sharedBits } from '../../correlations/correlations.ts'
import type { Slot } from '../../dealt.ts'
import type { Lanes } from '../../ring.ts'
import { firstRow, type Layout, type Shape, span } from '../../shape.ts'
import type { Opened } from '../../values.ts'
import { perRole } from './operands.ts'

export interface Heads {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
}

/** A pass's attention as the kernels take it. `layout` is that of the rows or of their pairs. */
export function contractionOf(shape: Shape, layout: Layout, h: Heads): Contraction {
  const first = firstRow(shape, layout)
  return {
    ...h,
    rows: shape.rows - first,
    seen: span(shape, first),
    step: shape.seen === undefined ? 1 : 0,
  }
}

/**
 * This party's share of sum (D + a)(E + b), a product of two openings (Beaver 1991) for each row and position: its
 * parts of the masks a and b against the public sides, plus its share of the dealt sum a b; D E itself is the server's.
 */
export function contractionShare(kind: 'scores' | 'mix', h: Heads, x: Opened, cache: string, slot: Slot) {
  const lanes = lanesOf(x.ring)
  const sum = program((p) => [p.out(p.add(p.lanes(), p.lanes()), lanes)])
  const whole = perRole((role) =>
    program<[Lanes]>((p) => [
      p.out(p.reduce(p.add(p.lanes(lanes), p.packed(sharedBits(role, slot))), x.ring)),
    ]),
  )
  return (ctx: PartyContext, id: number): Lanes => {
    const { kernels } = ctx
    const { values, masks } = ctx.cache(cache)
    const own = ctx.role === 'server' ? kernels.evaluate(sum, [masks, values], masks.length)[0] : masks
    const terms = [
      [ctx.get(x), own],
      [ctx.mask(x), values],
    ] as const
    const y = kernels.contract(kind, terms, contractionOf(ctx.shape, x.layout, h), lanes)
    return kernels.evaluate(whole(ctx.role), [y, ctx.packed(id, slot)], y.length)[0]
  }
}
