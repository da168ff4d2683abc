import type { Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { bitsAt } from '../ring.ts'
import { UNSCALED } from '../scale.ts'
import { type Opened, type Share, share } from '../values.ts'
import { publicOf } from './parts/public-of.ts'

/** log2 of the entries of a sign's table: they are the bits of one word. */
export const SIGN_BITS = 6

const ENTRIES = 2 ** SIGN_BITS

/** The lower half of the entries set, turned left by so many bits. */
const TURNED = BigUint64Array.from({ length: ENTRIES }, (_, by) => {
  const half = (1n << 32n) - 1n
  return BigInt.asUintN(64, (half << BigInt(by)) | (half >> BigInt(ENTRIES - by)))
})

/**
 * [g >= 0] of an opened signed g, shared mod 2: a table of one bit for each of 2^SIGN_BITS intervals of g's ring, exact
 * for the mask, so that only values within half an interval of zero may be mistaken, at random. Same layout; one dealt
 * word an element. No message. Throws `RangeError` where g's ring has fewer values than there are intervals, or more
 * than 31 bits.
 *
 * Of all intervals half begin where g is positive, one after another: the word is a half turned by the mask.
 */
export function positive(plan: PlanBuilder, g: Opened): Share {
  const { layout, width, ring } = g
  const shift = ring - SIGN_BITS
  if (ring > 31) throw new RangeError(`positive: Z_2^${ring} does not fit 31 bits`)
  if (shift < 1) throw new RangeError(`positive: Z_2^${ring} does not have ${ENTRIES} intervals of two`)
  const slot: Slot = { name: 'signs', layout, width, bits: ENTRIES, isBinary: true }
  const size = 2 ** ring
  /** From here on, as D sees values, an interval's start stands for a positive one. */
  const zero = (Number(g.offset) + size - 2 ** (shift - 1)) % size
  const type = { layout, width, ring: 1, scale: UNSCALED }
  return plan.step<Share>('positive', share(type), [g], (id) => ({
    slots: [slot],
    deal(ctx) {
      const a = bitsAt(ctx.mask(g), 0, ring)
      const out = new BigUint64Array(a.length)
      // The first interval whose start, moved by the mask, has come to zero.
      for (let i = 0; i < out.length; i++)
        out[i] = TURNED[Math.ceil(((zero - a[i] + size) & (size - 1)) / 2 ** shift) & (ENTRIES - 1)]
      return [out]
    },
    run(ctx) {
      const packed = ctx.packed(id, slot)
      // What was dealt may begin at any byte.
      const { buffer, byteOffset } = packed.byteOffset % 4 === 0 ? packed : packed.slice()
      const D = ctx.get(g)
      const [words, opened] = [
        new Uint32Array(buffer, byteOffset, 2 * D.length),
        new Uint32Array(D.buffer, D.byteOffset, 2 * D.length),
      ]
      const out = ctx.lanes(D.length)
      const low = new Uint32Array(out.buffer)
      for (let i = 0; i < low.length; i += 2) {
        const entry = (opened[i] >>> shift) & (ENTRIES - 1)
        low[i] = (words[i + (entry >>> 5)] >>> (entry & 31)) & 1
        low[i + 1] = 0
      }
      return out
    },
    oracle(ctx) {
      const D = bitsAt(publicOf(ctx, g), shift, SIGN_BITS)
      const a = bitsAt(ctx.mask(g), 0, ring)
      return BigUint64Array.from(a, (mask, i) => {
        const start = (D[i] * 2 ** shift + mask) % size
        return (start - zero + size) % size < size / 2 ? 1n : 0n
      })
    },
  }))
}
