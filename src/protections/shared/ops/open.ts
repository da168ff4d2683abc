import { program } from '../../../kernels/program.ts'
import type { PassContext } from '../context.ts'
import type { Opened, PlanBuilder, Share, Slot } from '../plan.ts'
import { MASK_STREAM, streamId, weightMaskStream } from '../prg.ts'
import { type Lanes, maskOf, signed } from '../ring.ts'
import { count } from '../shape.ts'
import { maskBits, perRole } from './operands.ts'

export interface OpenOptions {
  /** Ring of the opening; a value that will be lifted must satisfy |x| < 2^(bits-2). */
  bits: number
  /** The widest ring that a consumer lifts to; 0 or absent where none does. */
  lift?: number
  /** Signed, and a consumer undoes the mask's wrap itself: opened with the lift's offset. */
  centred?: boolean
  /** Index of the weight whose stationary matrix the owner's mask multiplies. */
  weight?: number
  /** Keep the opened rows (and the masks) for later passes under this name. */
  cache?: string
}

export const highSlot = (x: Opened): Slot => ({
  name: 'high',
  layout: x.layout,
  width: x.width,
  bits: x.lift - x.ring,
})
export const signSlot = (x: Opened): Slot => ({
  name: 'sign',
  layout: x.layout,
  width: x.width,
  bits: x.lift - x.ring,
})

/**
 * Opens D = x + offset - a mod 2^bits: each party sends its share less its part of the mask a, reduced in the opening's
 * own ring. For a lift the dealer adds, with rho = -a mod 2^bits: the high part of -a (what a's reduction drops) and
 * rho's top bit, from which x = A + a + 2^bits (high + B top) holds in the wider ring, A = D - offset, B = 1 - top(D).
 */
export function open(plan: PlanBuilder, x: Share, options: OpenOptions): Opened {
  const { bits, lift = 0, centred = false, weight, cache } = options
  const type = {
    kind: 'opened' as const,
    layout: x.layout,
    width: x.width,
    frac: x.frac,
    ring: bits,
    offset: lift > 0 || centred ? 1n << BigInt(bits - 2) : 0n,
    lift,
    maskRing: Math.max(bits, lift),
    stream: weight === undefined ? streamId(plan.steps.length, MASK_STREAM) : weightMaskStream(weight),
    wide: weight !== undefined,
  }
  if (bits > x.ring) throw new RangeError(`open: ${bits} bits of a value in Z_2^${x.ring}`)
  return plan.step<Opened>('open', type, [x], (id) => {
    const out: Opened = { ...type, step: id }
    const m = maskOf(bits)
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
      wire: { from: 'both', layout: x.layout, width: x.width, bits },
      slots: lift > 0 ? [highSlot(out), signSlot(out)] : [],
      deal(ctx) {
        const a = ctx.mask(out)
        if (cache) ctx.remember(cache, { values: new BigUint64Array(), masks: a })
        return parts ? [...ctx.evaluate(parts, [a], a.length)] : []
      },
      share: (ctx) => ctx.evaluate(half(ctx.role), [ctx.get(x), ctx.maskWords(out)], ctx.get(x).length)[0],
      run(ctx, received) {
        const n = count(ctx.shape, x.layout, x.width)
        const [D] = ctx.evaluate(sum, [ctx.half(id), received as Uint8Array], n)
        if (cache) ctx.remember(cache, { values: D, masks: ctx.mask(out) })
        return D
      },
      plain(ctx) {
        const value = ctx.get(x)
        const result = new BigUint64Array(value.length)
        const limit = 1n << BigInt(bits - 2)
        for (let i = 0; i < result.length; i++) {
          const v = signed(value[i], x.ring)
          if (type.offset > 0n && (v >= limit || v < -limit))
            ctx.violation(id, 'a value is too large to be lifted')
          result[i] = BigInt.asUintN(64, v) & m
        }
        if (cache) ctx.remember(cache, { values: result, masks: new BigUint64Array() })
        return result
      },
    }
  })
}

/** The public D of an opened value as the oracle knows it: from the plain value and the mask. */
export function publicOf(ctx: PassContext & { mask(value: Opened): Lanes }, x: Opened): Lanes {
  const value = ctx.get(x)
  const a = ctx.mask(x)
  const m = maskOf(x.ring)
  const out = new BigUint64Array(value.length)
  for (let i = 0; i < out.length; i++)
    out[i] = BigInt.asUintN(64, BigInt.asUintN(64, value[i] - a[i]) + x.offset) & m
  return out
}
