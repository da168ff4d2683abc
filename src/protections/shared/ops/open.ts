import { program } from '../../../kernels/program.ts'
import type { PlanBuilder } from '../plan.ts'
import { keptStreamId, MASK_STREAM, streamId, weightMaskStream } from '../prg.ts'
import { type Lanes, resized, signed } from '../ring.ts'
import { count } from '../shape.ts'
import type { Opened, Share, Unplaced } from '../values.ts'
import { highSlot, signSlot } from './parts/lifting.ts'
import { maskBits, perRole } from './parts/operands.ts'

export interface OpenOptions {
  /** Ring of the opening; a value that will be lifted must satisfy |x| < 2^(bits-2). */
  bits: number
  /** The widest ring that a consumer lifts to; 0 or absent where none does. */
  lift?: number
  /** Signed, and a consumer undoes the mask's wrap itself: opened with the lift's offset. */
  centred?: boolean
  /** Index of the weight whose stationary matrix the owner's mask multiplies; of a value that is not kept. */
  weight?: number
  /** Keep the opened rows (and the masks) for later passes under this name. */
  cache?: string
}

const maskStream = (step: number, { cache, weight }: OpenOptions): number => {
  if (weight !== undefined) return weightMaskStream(weight)
  return (cache ? keptStreamId : streamId)(step, MASK_STREAM)
}

/**
 * Opens D = x + offset - a mod 2^bits, Beaver's masked opening (1991): each party sends its share less its part of the
 * mask a, reduced in the opening's own ring. `bits` bits each way, one hop; same layout as x.
 *
 * For a lift the dealer adds, with rho = -a mod 2^bits: the high part of -a (what a's reduction drops) and rho's top
 * bit. With A = D - offset and B = 1 - top(D), in the wider ring
 *
 *   x = A + a + 2^bits (high + B top)
 *
 * Throws `RangeError` where x's ring is narrower than the opening's.
 */
export function open(plan: PlanBuilder, x: Share, options: OpenOptions): Opened {
  const { bits, lift = 0, centred = false, weight, cache } = options
  const { layout, width, scale, lanes } = x
  const type: Unplaced<Opened> = {
    kind: 'opened',
    layout,
    width,
    scale,
    lanes,
    ring: bits,
    offset: lift > 0 || centred ? 1n << BigInt(bits - 2) : 0n,
    lift,
    maskRing: Math.max(bits, lift),
    stream: maskStream(plan.steps.length, options),
    isWide: weight !== undefined,
  }
  if (cache && weight !== undefined)
    throw new RangeError('open: a kept value has a mask that no weight multiplies')
  if (bits > x.ring) throw new RangeError(`open: ${bits} bits of a value in Z_2^${x.ring}`)
  return plan.step<Opened>('open', type, [x], (id) => {
    const out: Opened = { ...type, step: id }
    const half = perRole((role) =>
      program<[Uint8Array]>((p) => {
        const less = p.sub(p.lanes(), p.packed(maskBits(out)))
        return [p.pack(role === 'server' ? p.plus(less, type.offset) : less, bits)]
      }),
    )
    const sum = program<[Lanes]>((p) => [p.out(p.reduce(p.add(p.packed(bits), p.packed(bits)), bits))])
    const parts =
      lift > 0 &&
      program<[Lanes, Lanes]>((p) => {
        const rho = p.reduce(p.from(0n, p.lanes()), lift)
        return [p.out(p.shr(rho, bits)), p.out(p.shr(p.reduce(rho, bits), bits - 1))]
      })
    return {
      wire: { from: 'both', layout, width, bits },
      slots: lift > 0 ? [highSlot(out), signSlot(out)] : [],
      deal(ctx) {
        const a = ctx.mask(out)
        if (cache) ctx.remember(cache, { values: new BigUint64Array(), masks: a })
        return parts ? [...ctx.kernels.evaluate(parts, [a], a.length)] : []
      },
      half: (ctx) =>
        ctx.kernels.evaluate(half(ctx.role), [ctx.get(x), ctx.maskWords(out)], ctx.get(x).length)[0],
      run(ctx, received) {
        const n = count(ctx.shape, layout, width)
        const [D] = ctx.kernels.evaluate(sum, [ctx.half(id), received as Uint8Array], n)
        if (cache) ctx.remember(cache, { values: D, masks: ctx.mask(out) })
        return D
      },
      oracle(ctx) {
        const value = ctx.get(x)
        const limit = 1n << BigInt(bits - 2)
        const isTooLarge = (v: bigint): boolean => v >= limit || v < -limit
        if (type.offset > 0n)
          for (const v of value)
            if (isTooLarge(signed(v, x.ring))) ctx.violation(id, 'a value is too large to be lifted')
        const result = resized(value, x.ring, bits)
        if (cache) ctx.remember(cache, { values: result, masks: new BigUint64Array() })
        return result
      },
    }
  })
}
