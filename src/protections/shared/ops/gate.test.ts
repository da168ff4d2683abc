import fc from 'fast-check'
import { expect, it } from 'vitest'
import { everyPair, maskedTrial } from '../../../../test/support/protocol/every.ts'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import type { Share } from '../values.ts'
import { gate } from './gate.ts'
import { open } from './open.ts'

it('is exact for every value of a small ring, both bits and all masks of them', () => {
  const pairs = everyPair(8, 2)
  for (let mask = 0; mask < 32; mask++)
    for (const bitMask of [0, 1]) {
      let y!: Share
      const trial = maskedTrial(
        (plan, given) => {
          const width = pairs.length
          const x = open(
            plan,
            given(
              pairs.map(([v]) => v - 4),
              { ring: 5, width },
            ),
            { bits: 5, lift: 9 },
          )
          const b = open(
            plan,
            given(
              pairs.map(([, bit]) => bit),
              { ring: 1, width },
            ),
            { bits: 1 },
          )
          y = gate(plan, x, b, 9)
        },
        [pairs.map(() => 16 * (mask % 7) + mask), pairs.map(() => bitMask)],
        mask,
      )
      expect(trial.complaints).toEqual([])
      expect(trial.integers(y)).toEqual(pairs.map(([v, bit]) => BigInt((v - 4) * bit)))
    }
})

it('is exact in rings of every width', () => {
  fc.assert(
    fc.property(
      fc.record({
        bits: fc.integer({ min: 3, max: 30 }),
        more: fc.integer({ min: 1, max: 34 }),
        seed: fc.nat(255),
        values: fc.array(
          fc.tuple(fc.double({ min: -1, max: 1, maxExcluded: true, noNaN: true }), fc.nat(1)),
          {
            minLength: 1,
            maxLength: 40,
          },
        ),
      }),
      ({ bits, more, seed, values }) => {
        const own = values.map(([v]) => Math.trunc(v * 2 ** (bits - 2)))
        const width = values.length
        let y!: Share
        const trial = new Trial(
          (plan, given) => {
            const x = open(plan, given(own, { ring: bits, width }), { bits, lift: bits + more })
            const b = open(
              plan,
              given(
                values.map(([, bit]) => bit),
                { ring: 1, width },
              ),
              { bits: 1 },
            )
            y = gate(plan, x, b, bits + more)
          },
          { seed },
        )
        expect(trial.complaints).toEqual([])
        expect(trial.integers(y)).toEqual(own.map((v, i) => BigInt(v * values[i][1])))
      },
    ),
    { numRuns: 150 },
  )
})

it('is refused beyond the dealt lift, and where the gate is no bit for each element', () => {
  const make = (ring: number, bits: number, width: number) => () =>
    new Trial((plan, given) => {
      const x = open(plan, given([1, 2], { ring: 5, width: 2 }), { bits: 5, lift: 9 })
      const b = open(plan, given(Array(width).fill(1), { ring: bits, width }), { bits })
      gate(plan, x, b, ring)
    })
  expect(make(9, 1, 2)).not.toThrow()
  for (const bad of [make(10, 1, 2), make(9, 2, 2), make(9, 1, 1)]) expect(bad).toThrow(RangeError)
})
