import { program } from '../../../kernels/program.ts'
import type { DealtRows, Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { isKept } from '../prg.ts'
import { bitsAt, type Lanes, lowBits, maskOf } from '../ring.ts'
import { type Opened, type Share, share } from '../values.ts'
import { maskBits, perRole } from './parts/operands.ts'
import { publicOf } from './parts/public-of.ts'

/** The window [low, low + 2^bits) of a value, in units of its ring. */
export interface Window {
  readonly low: bigint
  readonly bits: number
  /** log2 of the table's segments. */
  readonly segments: number
  /** Units at either end that do not belong to it. */
  readonly margin?: number
}

/**
 * Whether x has left a window, where what was opened of it is an argument of tables, which know it mod 2^bits alone: a share
 * mod 2^ring that is zero inside, and outside never, as long as the value is less than 2^(ring - bits - 1) windows off. Within a
 * segment (2^(bits - segments)) of the window's ends or margins a value inside may be taken for one outside. Same layout. No
 * message.
 *
 * With D = x - low - a mod 2^bits, x - low = D + a mod 2^bits - 2^bits c for the carry c of that sum. The parties have a in two
 * parts, whose own carry w counts as well; the dealer tabulates w + c over the segments of D. Where a segment touches an end, it
 * deals what is the carry of no value. `ring` is bits + 2 at least. Throws `RangeError` where x's ring is narrower, or the window
 * is wider than the opening.
 */
export function stray(plan: PlanBuilder, x: Share, opened: Opened, w: Window, ring: number): Share {
  const { bits, segments, low, margin = 0 } = w
  if (ring > x.ring || ring < bits + 2 || bits > opened.ring || segments > bits)
    throw new RangeError(
      `stray: 2^${bits} of an opening of ${opened.ring} bits, in Z_2^${ring} of Z_2^${x.ring}`,
    )
  const { layout, width } = x
  const entries = 2 ** segments
  const shift = BigInt(bits - segments)
  const slot: Slot = { name: 'carry', layout, width, entries, bits: ring - bits }
  const m = maskOf(ring)
  const size = 1n << BigInt(bits)
  /** Nothing that a value that fits, or is off by few windows, has for a carry. */
  const never = 1n << BigInt(ring - bits - 1)
  const [whole, segment] = [2 ** bits, 2 ** (bits - segments)]
  /** Of a segment of D under a mask. */
  const carry = (index: number, a: number): bigint => {
    const from = index * segment + a
    const to = from + segment
    const isInside =
      from >= margin && to <= 2 * whole - margin && (to <= whole - margin || from >= whole + margin)
    return !isInside ? never : from >= whole ? 1n : 0n
  }
  const own = perRole((role) =>
    program<[Lanes]>((p) => {
      const [value, D] = [p.lanes(), p.lanes()]
      const a = p.reduce(p.packed(maskBits(opened)), bits)
      const rest = p.add(p.sub(value, a), p.shl(p.lanes(), bits))
      const less = role === 'server' ? p.sub(p.plus(rest, -low), D) : rest
      return [p.out(p.reduce(less, ring))]
    }),
  )
  const within = program<[Lanes]>((p) => [p.out(p.reduce(p.plus(p.lanes(), -opened.offset - low), bits))])
  return plan.step<Share>('stray', share({ ...x, ring }), [x, opened], (id) => ({
    // A kept value's mask is under a key that is not shown with the pass's.
    attends: isKept(opened.stream) ? opened : undefined,
    slots: [slot],
    deal(ctx) {
      const [masks, parts] = [lowBits(ctx.mask(opened), bits), lowBits(ctx.serverMask(opened), bits)]
      const carries: DealtRows = {
        fill(first, n, out) {
          for (let i = first, to = 0; i < first + n; i++) {
            const own = masks[i] < parts[i] ? 1n : 0n
            for (let k = 0; k < entries; k++) out[to++] = own + carry(k, masks[i])
          }
        },
      }
      return [carries]
    },
    run(ctx) {
      const value = ctx.get(x)
      const [D] = ctx.kernels.evaluate(within, [ctx.get(opened)], value.length)
      const carries = ctx.lookup(id, slot, bitsAt(D, bits - segments, segments))
      return ctx.kernels.evaluate(own(ctx.role), [value, D, ctx.maskWords(opened), carries], value.length)[0]
    },
    oracle(ctx) {
      const D = publicOf(ctx, opened)
      const mask = lowBits(ctx.mask(opened), bits)
      return ctx.get(x).map((v, i) => {
        const d = BigInt.asUintN(bits, D[i] - opened.offset - low)
        const c = carry(Number(d >> shift), mask[i])
        return BigInt.asUintN(64, v - low - d - BigInt(mask[i]) + c * size) & m
      })
    },
  }))
}
