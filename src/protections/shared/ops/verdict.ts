import { program } from '../../../kernels/program.ts'
import type { Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { MASK_STREAM, streamId } from '../prg.ts'
import { type Lanes, maskOf, sub } from '../ring.ts'
import { UNSCALED } from '../scale.ts'
import { type Layout, rowCount, rowLayout, rowsOf, type Shape } from '../shape.ts'
import { type Masked, type Released, type Share, share, type Unplaced } from '../values.ts'
import { maskBits } from './parts/operands.ts'
import { release } from './release.ts'

/** Bits of a row's fingerprint: so many that no two that differ are taken for the same but once in 2^27. */
const BITS = 32

/**
 * Tells the owner, and nobody else, for every row whether all of the values are zero: released is 0 where they are, and a
 * random number where one is not. Two halves of zero are each other's negative, so each party takes a fingerprint of its own
 * halves, and the fingerprints' difference d is released as d·r, for an r that the server has of its mask's keystream: with
 * e = d - a for a mask a of the owner, d·r = e·r + a·r, and the dealer deals a·r. 32 bits each way a row, and as many dealt;
 * two hops, which travel with other messages. All values have one companion of rows, which is the result's layout: rows x 1,
 * mod 2^32. Where a model has no secrets from its user, d itself is released, which takes one hop. Throws `RangeError` where
 * values have others.
 */
export function verdict(plan: PlanBuilder, values: readonly Share[], hasSecrets = true): Released {
  const [first] = values
  const layout = rowLayout(first.layout)
  if (values.some((v) => rowLayout(v.layout) !== layout)) throw new RangeError('verdict: of other rows')
  const d = difference(plan, values, layout)
  return release(plan, hasSecrets ? concealed(plan, d) : d)
}

const one = (layout: Layout) => ({ layout, width: 1, ring: BITS, scale: UNSCALED })

/** The fingerprints' difference: zero where the halves of all values of a row cancel. No message. */
function difference(plan: PlanBuilder, values: readonly Share[], layout: Layout): Share {
  /** A party's fingerprints of its halves, the owner's of what cancels them. */
  const prints = (shape: Shape, halves: (value: Share) => Lanes, isOwner: boolean): Uint32Array => {
    const out = new Uint32Array(rowsOf(shape, layout))
    for (const value of values) mixIn(out, shape, value, halves(value), isOwner)
    return out
  }
  const less = (prints: Uint32Array): Lanes => BigUint64Array.from(prints, (print) => BigInt(-print >>> 0))
  return plan.step<Share>('fingerprint', share(one(layout)), values, () => ({
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

/** d·r for an r that only server and dealer know: see `verdict`. */
function concealed(plan: PlanBuilder, d: Share): Share {
  const { layout } = d
  const type: Unplaced<Masked> = {
    kind: 'masked',
    ...one(layout),
    lanes: 64,
    stream: streamId(plan.steps.length, MASK_STREAM),
  }
  const e = plan.step<Masked>('openPrint', type, [d], (id) => {
    const out: Masked = { ...type, step: id }
    const less = program<[Uint8Array]>((p) => [p.pack(p.sub(p.lanes(), p.packed(maskBits(out))), BITS)])
    const sum = program<[Lanes]>((p) => [p.out(p.reduce(p.add(p.lanes(), p.packed(BITS)), BITS))])
    return {
      wire: { from: 'owner', layout, width: 1, bits: BITS },
      half: (ctx) => ctx.kernels.evaluate(less, [ctx.get(d), ctx.maskWords(out)], ctx.get(d).length)[0],
      run: (ctx, received) =>
        received
          ? ctx.kernels.evaluate(sum, [ctx.get(d), received], ctx.get(d).length)[0]
          : new BigUint64Array(),
      oracle: (ctx) => ctx.get(d),
    }
  })
  const slot: Slot = { name: 'a·r', layout, width: 1, bits: BITS }
  const m = maskOf(BITS)
  const times = (a: Lanes, b: Lanes): Lanes => a.map((v, i) => BigInt.asUintN(64, v * b[i]) & m)
  return plan.step<Share>('concealed', share(one(layout)), [e], (id) => ({
    needs: { owner: [] },
    slots: [slot],
    deal: (ctx) => [times(ctx.ownerMask(e), ctx.serverMask(e))],
    run(ctx) {
      const dealt = ctx.correlation(id, slot)
      if (ctx.role === 'owner') return dealt
      return times(ctx.get(e), ctx.mask(e)).map((v, i) => (v + dealt[i]) & m)
    },
    oracle: (ctx) => times(ctx.get(e), ctx.serverMask(e)),
  }))
}
