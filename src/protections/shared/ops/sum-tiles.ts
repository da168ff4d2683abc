import type { ValueContext } from '../context.ts'
import type { PlanBuilder } from '../plan.ts'
import { type Lanes, maskOf } from '../ring.ts'
import { rowsOf } from '../shape.ts'
import { type Share, share } from '../values.ts'

/** The sum of all tiles of `width` columns of each row: rows x width, in x's ring. No message. */
export function sumTiles(plan: PlanBuilder, x: Share, width: number): Share {
  if (x.width % width > 0) throw new RangeError(`sumTiles: ${x.width} columns are no tiles of ${width}`)
  const m = maskOf(x.ring)
  const sum = (ctx: ValueContext): Lanes => {
    const out = new BigUint64Array(rowsOf(ctx.shape, x.layout) * width)
    const lanes = ctx.get(x)
    for (let i = 0; i < lanes.length; i++) {
      const to = Math.floor(i / x.width) * width + (i % width)
      out[to] = BigInt.asUintN(64, out[to] + lanes[i]) & m
    }
    return out
  }
  return plan.step<Share>('sumTiles', share({ ...x, width }), [x], () => ({ run: sum, oracle: sum }))
}
