import type { PlanBuilder } from '../plan.ts'
import { type Lanes, maskOf, sub } from '../ring.ts'
import { UNSCALED } from '../scale.ts'
import { rowCount, rowLayout, rowsOf, type Shape } from '../shape.ts'
import { type Share, share } from '../values.ts'

/** Bits of a row's fingerprint: so many that no two that differ are taken for the same but once in 2^27. */
const BITS = 32

/**
 * Shares of zero for every row all of whose values are zero, of another number where one is not: two halves of zero are each
 * other's negative, so each party takes a fingerprint of its own halves. All values have one companion of rows, which is the
 * result's layout: rows x 1, mod 2^32. No message. Throws `RangeError` where they have not.
 */
export function fingerprint(plan: PlanBuilder, values: readonly Share[]): Share {
  const layout = rowLayout(values[0].layout)
  if (values.some((v) => rowLayout(v.layout) !== layout)) throw new RangeError('fingerprint: of other rows')
  /** A party's fingerprints of its halves, the owner's of what cancels them. */
  const prints = (shape: Shape, halves: (value: Share) => Lanes, isOwner: boolean): Uint32Array => {
    const out = new Uint32Array(rowsOf(shape, layout))
    for (const value of values) mixIn(out, shape, value, halves(value), isOwner)
    return out
  }
  const less = (prints: Uint32Array): Lanes => BigUint64Array.from(prints, (print) => BigInt(-print >>> 0))
  return plan.step<Share>(
    'fingerprint',
    share({ layout, width: 1, ring: BITS, scale: UNSCALED }),
    values,
    () => ({
      run: (ctx) =>
        ctx.role === 'owner'
          ? BigUint64Array.from(
              prints(ctx.shape, (value) => ctx.get(value), true),
              BigInt,
            )
          : less(prints(ctx.shape, (value) => ctx.get(value), false)),
      oracle(ctx) {
        const own = prints(ctx.shape, (value) => ctx.ownerShare(value), true)
        const rest = (value: Share): Lanes => sub(ctx.get(value), ctx.ownerShare(value), value.ring)
        return less(prints(ctx.shape, rest, false).map((print, i) => print - own[i]))
      },
    }),
  )
}

/** Calls back with every row that a value has: its place among them, and where its elements are. */
function eachRow(
  shape: Shape,
  { layout, width }: Share,
  f: (row: number, from: number, to: number) => void,
): void {
  for (let r = 0, row = 0, at = 0; r < shape.rows; r++) {
    const n = rowCount(shape, r, layout, width)
    if (n > 0) f(row++, at, at + n)
    at += n
  }
}

/**
 * Takes a party's halves into the rows' fingerprints, the owner's negated. Every step is a bijection of what was there before,
 * so that one half that differs is never missed, and several hardly ever (MurmurHash3's, Appleby 2011).
 */
function mixIn(prints: Uint32Array, shape: Shape, value: Share, lanes: Lanes, isNegated: boolean): void {
  const words = new Uint32Array(lanes.buffer, lanes.byteOffset, 2 * lanes.length)
  const m = maskOf(value.ring)
  const [low, high] = [Number(m & 0xffffffffn), Number(m >> 32n)]
  eachRow(shape, value, (row, from, to) => {
    let h = prints[row]
    for (let i = 2 * from; i < 2 * to; i += 2) {
      let [a, b] = [words[i], words[i + 1]]
      if (isNegated) {
        b = (~b + (a === 0 ? 1 : 0)) & high
        a = -a & low
      }
      h = Math.imul(h ^ a, 0xcc9e2d51)
      h = (h << 15) | (h >>> 17)
      if (high === 0) continue
      h = Math.imul(h ^ b, 0x1b873593)
      h = (h << 13) | (h >>> 19)
    }
    prints[row] = h
  })
}
