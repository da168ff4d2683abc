import { describe, expect, it } from 'vitest'
import { everyMasked, maskedTrial } from '../../../../test/support/protocol/every.ts'
import type { Share } from '../values.ts'
import { open } from './open.ts'
import { positive } from './positive.ts'

const signed = (x: number, bits: number): number => (x < 2 ** (bits - 1) ? x : x - 2 ** bits)

describe.each([7, 8])('the sign of an opened value of %i bits', (bits) => {
  it.each([0, bits + 5])(
    'is exact beyond half an interval, for every value under every mask (lift %i)',
    (lift) => {
      const half = 2 ** (bits - 7)
      const wrong: number[] = []
      const near = new Set<number>()
      for (const { values, masks } of everyMasked(bits)) {
        // A lift takes values of half the ring's range, whose offset is theirs.
        const own = values.map((x) => (lift > 0 ? Math.floor(signed(x, bits) / 2) : signed(x, bits)))
        let y!: Share
        const trial = maskedTrial(
          (plan, given) => {
            const x = given(own, { ring: bits, width: own.length })
            y = positive(plan, open(plan, x, { bits, lift }))
          },
          [masks],
        )
        expect(trial.complaints).toEqual([])
        const got = [...trial.total(y)].map(Number)
        own.forEach((x, i) => {
          // At the far end of a ring that is not lifted the sign turns as well.
          const isFar = lift === 0 && (x >= 2 ** (bits - 1) - half || x < half - 2 ** (bits - 1))
          const isNear = x >= -half && x < half - 1
          if (isNear) near.add(2 * x + got[i])
          else if (!isFar && got[i] !== (x >= 0 ? 1 : 0)) wrong.push(x)
        })
      }
      expect(wrong).toEqual([])
      // Near zero both signs are read, by the mask.
      expect(near.size).toBe(2 * (2 * half - 1))
    },
  )
})

it('is refused where a ring has fewer values than the table intervals', () => {
  const make = (bits: number) => () =>
    maskedTrial((plan, given) => {
      positive(plan, open(plan, given([1], { ring: bits, width: 1 }), { bits }))
    }, [])
  expect(make(7)).not.toThrow()
  expect(make(6)).toThrow(RangeError)
})
