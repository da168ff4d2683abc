import type { PlanBuilder } from '../plan.ts'
import { type Lanes, maskOf, sub } from '../ring.ts'
import { UNSCALED } from '../scale.ts'
import { type Layout, rowCount, rowLayout, rowsOf, type Shape } from '../shape.ts'
import { type Share, type ShareType, share } from '../values.ts'
import { bitsOf, WORD_BITS } from './parts/binary-field.ts'

/** The type of a row's word: its bits are shared each for itself, mod 2. */
export const wordType = (layout: Layout): ShareType => ({
  layout,
  width: WORD_BITS,
  ring: 1,
  scale: UNSCALED,
})

/**
 * For every row a word that is zero where all of the values are. Two halves of zero are each other's negative: each party takes
 * a fingerprint of its own halves, the owner of what cancels them, and the two are a sharing of their exclusive or. Other values
 * give zero once in 2^32; a row's single one that is not zero never does. All values have one companion of rows, which is the
 * result's layout: rows x 32 bits, mod 2. No message. Throws `RangeError` where values have others.
 */
export function fingerprint(plan: PlanBuilder, values: readonly Share[]): Share {
  const layout = rowLayout(values[0].layout)
  if (values.some((v) => rowLayout(v.layout) !== layout)) throw new RangeError('fingerprint: of other rows')
  const prints = (shape: Shape, halves: (value: Share) => Lanes, isOwner: boolean): Lanes => {
    const out = new Uint32Array(rowsOf(shape, layout))
    for (const value of values) mixIn(out, shape, value, halves(value), isOwner)
    return bitsOf(out)
  }
  return plan.step<Share>('fingerprint', share(wordType(layout)), values, () => ({
    run: (ctx) => prints(ctx.shape, (value) => ctx.get(value), ctx.role === 'owner'),
    oracle(ctx) {
      const own = prints(ctx.shape, (value) => ctx.ownerShare(value), true)
      const rest = (value: Share): Lanes => sub(ctx.get(value), ctx.ownerShare(value), value.ring)
      return prints(ctx.shape, rest, false).map((bit, i) => bit ^ own[i])
    },
  }))
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
