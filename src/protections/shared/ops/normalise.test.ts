import { describe, expect, it } from 'vitest'
import { everyMasked, maskedTrial } from '../../../../test/support/protocol/every.ts'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import { Rotations } from '../tables/rotations.ts'
import type { Share } from '../values.ts'
import { normalise } from './normalise.ts'
import { open } from './open.ts'

const f = (v: number): number => 300 - v
/** f at the middle of 2^entryBits intervals of a value of `bits` bits. */
const table = (bits: number, entryBits: number): Rotations => {
  const shift = bits - entryBits
  return new Rotations({ shift, entries: 2 ** entryBits, words: 1 }, (place, out) => {
    for (let k = 0; k < out.length; k++) out[k] = f(place + k * 2 ** shift)
  })
}

describe.each([
  { bits: 6, entryBits: 3 },
  { bits: 6, entryBits: 4 },
])('a row times a function of its norm, $bits bits in 2^$entryBits intervals', ({ bits, entryBits }) => {
  it('is read for the interval that the mask makes, for every norm under every mask', () => {
    const own = table(bits, entryBits)
    const interval = 2 ** (bits - entryBits)
    for (const { values, masks } of everyMasked(bits)) {
      // All but the last interval, which the first one runs into.
      const known = values.map((v) => Math.min(v, 2 ** bits - interval - 1))
      const rows = known.length
      const y = known.flatMap((_, r) => [((r * 37) % 256) - 128, ((r * 91) % 256) - 128])
      let out!: Share
      const trial = new Trial(
        (plan, given) => {
          const norm = open(plan, given(known, { ring: bits, width: 1 }), { bits })
          const row = open(plan, given(y, { ring: 9, width: 2 }), { bits: 9, lift: 22 })
          out = normalise(plan, row, norm, own, { frac: 4, ring: 22 })
        },
        {
          shape: { base: 0, rows, serial: 0 },
          mask: (value) =>
            value.width === 1 && value.kind === 'opened' ? BigUint64Array.from(masks, BigInt) : undefined,
        },
      )
      expect(trial.complaints).toEqual([])
      const start = known.map((v, r) => v - ((v - masks[r] + 2 ** bits) % interval))
      const want = y.map((x, i) => BigInt(x * f((start[Math.floor(i / 2)] + 2 ** bits) % 2 ** bits)))
      expect(trial.integers(out)).toEqual(want)
    }
  })
})

it('tells of norms in the interval that the first one runs into', () => {
  const trial = maskedTrial(
    (plan, given) => {
      const norm = open(plan, given([255], { ring: 8, width: 1 }), { bits: 8 })
      const row = open(plan, given([1, 2], { ring: 9, width: 2 }), { bits: 9, lift: 22 })
      normalise(plan, row, norm, table(8, 4), { frac: 4, ring: 22 })
    },
    [[3]],
  )
  expect(trial.complaints).toEqual(['normalise: a value is above the table'])
})
