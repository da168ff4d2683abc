import type { ValueContext } from '../context.ts'
import type { PlanBuilder } from '../plan.ts'
import { type Lanes, maskOf } from '../ring.ts'
import { type Share, share } from '../values.ts'

/**
 * How far each column of x is below its tile's column of `most`: most - x, where x's columns are tiles as wide as `most`
 * is. Layout and width of x, in its ring. No message. Throws `RangeError` where the widths do not fit.
 */
export function belowTiles(plan: PlanBuilder, most: Share, x: Share): Share {
  const { width } = most
  if (x.width % width > 0 || most.ring !== x.ring)
    throw new RangeError(`belowTiles: ${x.width} columns are no tiles of ${width}`)
  const m = maskOf(x.ring)
  const less = (ctx: ValueContext): Lanes => {
    const top = ctx.get(most)
    return ctx
      .get(x)
      .map((v, i) => BigInt.asUintN(64, top[Math.floor(i / x.width) * width + (i % width)] - v) & m)
  }
  return plan.step<Share>('belowTiles', share(x), [most, x], () => ({ run: less, oracle: less }))
}
