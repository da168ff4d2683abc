import type { DealtRows, Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { bitsAt, maskOf } from '../ring.ts'
import { type Opened, type Share, share } from '../values.ts'
import type { LookupType } from './lookup.ts'

/** f of two arguments: value (x, y) at x 2^yBits + y, mod 2^64. */
export interface PairTable {
  readonly xBits: number
  readonly yBits: number
  readonly values: BigUint64Array
}

/** f(x, y), integers within +-2^53, of all x of xBits and y of yBits bits. */
export function pairTable(xBits: number, yBits: number, f: (x: number, y: number) => number): PairTable {
  const values = new BigUint64Array(2 ** (xBits + yBits))
  for (let i = 0; i < values.length; i++)
    values[i] = BigInt.asUintN(64, BigInt(f(i >>> yBits, i & (2 ** yBits - 1))))
  return { xBits, yBits, values }
}

/**
 * f(x, y) of two opened values by a one-time table of all pairs, rotated by both masks: each party reads its share at
 * (D_x, D_y). x's layout, mod 2^ring; 2^(x.ring + y.ring) words an element. No message. Where y has fewer columns, they
 * are x's in turn, tile after tile: each is shared by several of x, was opened once and is under one mask.
 *
 * Throws `RangeError` where the table is of other rings, or y's columns are not as many.
 */
export function lookupPair(
  plan: PlanBuilder,
  x: Opened,
  y: Opened,
  table: PairTable,
  type: LookupType,
): Share {
  const { layout, width } = x
  const { xBits, yBits, values } = table
  if (x.ring !== xBits || y.ring !== yBits || x.offset > 0n || y.offset > 0n)
    throw new RangeError(`lookupPair: the table is not of Z_2^${x.ring} by Z_2^${y.ring}`)
  if (y.layout !== layout || width % y.width > 0)
    throw new RangeError(`lookupPair: ${width} columns are no tiles of ${y.width}`)
  const entries = values.length
  const slot: Slot = { name: 'table', layout, width, entries, bits: type.ring }
  const m = maskOf(type.ring)
  const other = (i: number): number => Math.floor(i / width) * y.width + (i % y.width)
  const index = (X: Uint32Array, Y: Uint32Array): Uint32Array =>
    X.map((at, i) => at * 2 ** yBits + Y[other(i)])
  return plan.step<Share>('lookupPair', share({ layout, width, ...type }), [x, y], (id) => ({
    slots: [slot],
    deal: (ctx) => [rotated(table, bitsAt(ctx.mask(x), 0, xBits), bitsAt(ctx.mask(y), 0, yBits), other)],
    run: (ctx) => ctx.lookup(id, slot, index(bitsAt(ctx.get(x), 0, xBits), bitsAt(ctx.get(y), 0, yBits))),
    oracle: (ctx) =>
      BigUint64Array.from(
        index(bitsAt(ctx.get(x), 0, xBits), bitsAt(ctx.get(y), 0, yBits)),
        (at) => values[at] & m,
      ),
  }))
}

/** The whole table of each element, moved by its masks in both directions. */
function rotated(
  { xBits, yBits, values }: PairTable,
  a: Uint32Array,
  b: Uint32Array,
  other: (i: number) => number,
): DealtRows {
  const [xs, ys] = [2 ** xBits, 2 ** yBits]
  return {
    fill(first, n, out) {
      for (let i = first, to = 0; i < first + n; i++) {
        const turn = b[other(i)]
        for (let D = 0; D < xs; D++) {
          const from = ((D + a[i]) & (xs - 1)) * ys
          for (let E = 0; E < ys; E++) out[to++] = values[from + ((E + turn) & (ys - 1))]
        }
      }
    },
  }
}
