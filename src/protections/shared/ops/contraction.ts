import type { Contraction } from '../../../kernels/contraction.ts'
import { firstRow, type Layout, type Shape, span } from '../shape.ts'

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
