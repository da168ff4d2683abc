import type { PlanBuilder } from '../plan.ts'
import { halfMasks, type Lanes } from '../ring.ts'
import { count, firstRow, rowLayout, type Shape, span } from '../shape.ts'
import { type Share, share } from '../values.ts'

const WORD = 2 ** 32

/** Sums in rings of up to 32 bits, whose words wrap by themselves. */
function sumWords(
  shape: Shape,
  first: number,
  {
    from,
    to,
    out,
    width,
    low,
  }: Record<'from' | 'to', Uint32Array> & { out: Lanes; width: number; low: number },
): Lanes {
  const row = new Int32Array(width)
  for (let r = first, at = 0; r < shape.rows; r++) {
    row.fill(0)
    for (let j = span(shape, r); j > 0; j--) for (let i = 0; i < width; i++, at += 2) row[i] += from[at]
    for (let i = 0, start = 2 * (r - first) * width; i < width; i++) to[start + 2 * i] = row[i] & low
  }
  return out
}

/** The sum of a pair value over the positions that each row attends to: rows x width, mod x's ring. No message. */
export function sumPositions(plan: PlanBuilder, x: Share): Share {
  const { width } = x
  const layout = rowLayout(x.layout)
  const [low, high] = halfMasks(x.ring)
  const sum = (shape: Shape, v: Lanes): Lanes => {
    const out = new BigUint64Array(count(shape, layout, width))
    // By halves of lanes, whose sums are exact in float64.
    const [from, to] = [v, out].map(
      (lanes) => new Uint32Array(lanes.buffer, lanes.byteOffset, 2 * lanes.length),
    )
    const first = firstRow(shape, layout)
    if (high === 0) return sumWords(shape, first, { from, to, out, width, low })
    const row = new Float64Array(2 * width)
    for (let r = first, at = 0; r < shape.rows; r++) {
      row.fill(0)
      for (let j = span(shape, r); j > 0; j--) for (let i = 0; i < row.length; i++, at++) row[i] += from[at]
      const start = (r - first) * row.length
      for (let i = 0; i < row.length; i += 2) {
        to[start + i] = (row[i] % WORD) & low
        to[start + i + 1] = ((row[i + 1] + Math.floor(row[i] / WORD)) % WORD) & high
      }
    }
    return out
  }
  return plan.step<Share>('sumPositions', share({ ...x, layout }), [x], () => ({
    run: (ctx) => sum(ctx.shape, ctx.get(x)),
    oracle: (ctx) => sum(ctx.shape, ctx.get(x)),
  }))
}
