import type { LaneArray, LaneWidth } from '../../../kernels/lanes.ts'
import { type Program, program } from '../../../kernels/program.ts'
import type { PartyContext } from '../context.ts'
import { sharedBits } from '../correlations/correlations.ts'
import type { Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { weightSumStream } from '../prg.ts'
import type { Lanes } from '../ring.ts'
import { timesScale } from '../scale.ts'
import { rowsOf } from '../shape.ts'
import { type Masked, type Share, share } from '../values.ts'
import { type WeightRef, weightUse } from './parts/weight-ref.ts'

/**
 * x·W for a private W and e = x - a, which the server has. The weight has one stationary mask F, W = F + b, that owner
 * and dealer expand from seeds of their own with the owner, and b is the dealer's: Beaver's product (1991) whose masked
 * matrix is opened once, as SecureML (2017, section IV) does with its data. Of
 *
 *   x·W = (a·F + c)  +  (e·W + (a·b - c))
 *
 * the owner's part is input-independent and made ahead, the server's waits for e, and a·b - c is dealt. rows x n, mod
 * 2^ring, no wider than e's. No message beyond the one that gave the server e. Several weights may multiply one e, each
 * in a ring of its own. Throws `RangeError` where the ring is wider than e's.
 */
export function linearPrivate(plan: PlanBuilder, e: Masked, weight: WeightRef, ring = e.ring): Share {
  const { layout, width, stream } = e
  if (ring > e.ring)
    throw new RangeError(`product with '${weight.name}': Z_2^${ring} is wider than its input's Z_2^${e.ring}`)
  const { name, n } = weight
  const slot: Slot = { name: 'c', layout, width: n, bits: ring, stream: weightSumStream(weight.index) }
  const type = { layout, width: n, ring, scale: timesScale(e.scale, weight.scale) }
  const sum = program<[Lanes]>((p) => [
    p.out(p.reduce(p.add(p.lanes(), p.packed(sharedBits('server', slot))), ring)),
  ])
  const added = (ctx: PartyContext, y: Lanes, dealt: Uint8Array): Lanes =>
    ctx.kernels.evaluate(sum, [y, dealt], y.length)[0]
  return plan.step<Share>('linearPrivate', share(type), [e], (id) => {
    plan.weights.push(weightUse(weight, { width, ring, maskStream: stream }))
    return {
      needs: { owner: [] },
      slots: [slot],
      products: {
        server: [{ weight: name, ring, left: (ctx) => ctx.get(e) }],
        dealer: [{ weight: name, ring, left: (ctx) => ctx.ownerMask(e) }],
      },
      deal: (ctx) => [ctx.multiply(id, name)],
      run: (ctx) =>
        ctx.role === 'owner'
          ? wide(ctx, lastRows(ctx.stationary(name), rowsOf(ctx.shape, layout) * n))
          : added(ctx, ctx.multiply(id, name), ctx.packed(id, slot)),
      oracle: (ctx) => ctx.multiply(name, ctx.get(e), ring),
    }
  })
}

/** Products are made ahead for every row; a `last` value takes the last. */
const lastRows = (y: LaneArray, n: number): LaneArray => y.subarray(y.length - n)

const widening = { 16: widened(16), 32: widened(32) } as const

function widened(width: LaneWidth): Program<[Lanes]> {
  return program<[Lanes]>((p) => [p.out(p.lanes(width))])
}

/** Lanes of 64 bits, as shares lie in. */
function wide({ kernels }: PartyContext, y: LaneArray): Lanes {
  if (y instanceof BigUint64Array) return y
  return kernels.evaluate(widening[y instanceof Uint32Array ? 32 : 16], [y], y.length)[0]
}
