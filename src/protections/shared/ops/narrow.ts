import { program } from '../../../kernels/program.ts'
import type { PlanBuilder } from '../plan.ts'
import { type Lanes, reduce, signed } from '../ring.ts'
import { type Share, share } from '../values.ts'

/**
 * x in a narrower ring: each party reduces its share. Same layout and scale, mod 2^ring. No message. Throws `RangeError`
 * where the ring is wider than x's.
 *
 * `range` says what the result's ring must hold, for the oracle to check: `modular` promises nothing.
 */
export function narrow(
  plan: PlanBuilder,
  x: Share,
  ring: number,
  range: 'signed' | 'unsigned' | 'modular' = 'signed',
): Share {
  if (ring > x.ring) throw new RangeError(`narrow: Z_2^${x.ring} does not hold Z_2^${ring}`)
  if (ring === x.ring) return x
  const reduced = program<[Lanes]>((p) => [p.out(p.reduce(p.lanes(), ring))])
  return plan.step<Share>('narrow', share({ ...x, ring }), [x], (id) => ({
    run: (ctx) => ctx.kernels.evaluate(reduced, [ctx.get(x)], ctx.get(x).length)[0],
    oracle(ctx) {
      const out = reduce(ctx.get(x), ring)
      const isLost = (v: bigint, i: number): boolean =>
        range === 'signed' ? signed(v, x.ring) !== signed(out[i], ring) : v !== out[i]
      if (range !== 'modular' && ctx.get(x).some(isLost))
        ctx.violation(id, 'a value does not fit the narrower ring')
      return out
    },
  }))
}
