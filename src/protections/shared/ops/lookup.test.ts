import { describe, expect, it } from 'vitest'
import { everyMasked, maskedTrial } from '../../../../test/support/protocol/every.ts'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import { UNSCALED } from '../scale.ts'
import { fullTable } from '../tables/full-table.ts'
import type { Share } from '../values.ts'
import { lookup } from './lookup.ts'
import { open } from './open.ts'

const f = (x: number): number => (x * x + 3 * x + 1) % 977

describe.each([3, 4, 6, 8])('a table of all values of %i bits', (bits) => {
  // Words that fill bytes, and some that don't.
  it.each([16, 10, 33])('is read rightly for every value under every mask, in words of %i bits', (ring) => {
    const table = fullTable(bits, f)
    for (const { values, masks } of everyMasked(bits)) {
      let y!: Share
      const trial = maskedTrial(
        (plan, given) => {
          const x = open(plan, given(values, { ring: bits, width: values.length }), { bits })
          y = lookup(plan, x, table, { ring, scale: UNSCALED })
        },
        [masks],
      )
      expect(trial.complaints).toEqual([])
      expect([...trial.total(y)]).toEqual(values.map((x) => BigInt(f(x) % 2 ** ring)))
    }
  })
})

it('is refused for another ring, and for a value with an offset', () => {
  const table = fullTable(4, f)
  const make = (bits: number, centred: boolean) => () =>
    new Trial((plan, given) => {
      const x = open(plan, given([1], { ring: bits, width: 1 }), { bits, centred })
      lookup(plan, x, table, { ring: 8, scale: UNSCALED })
    })
  expect(make(4, false)).not.toThrow()
  expect(make(5, false)).toThrow(RangeError)
  expect(make(4, true)).toThrow(RangeError)
})
