import { expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import type { Share } from '../values.ts'
import { lift } from './lift.ts'
import { open } from './open.ts'
import { overflow } from './overflow.ts'

const BITS = 8
const values = Array.from({ length: 2 ** 12 }, (_, i) => i - 2 ** 11)

it.each([1, 2, 3])('is zero where a lift is right, and nowhere else, masks %i', (seed) => {
  const found: Share[] = []
  const trial = new Trial(
    (plan, given) => {
      const x = given(values, { ring: 12, width: values.length })
      const opened = open(plan, x, { bits: BITS, lift: 12 })
      found.push(overflow(plan, x, opened), lift(plan, opened, 12))
    },
    { seed },
  )
  const [rest, lifted] = found.map((share) => trial.integers(share))
  values.forEach((v, i) => {
    if (Math.abs(v) < 2 ** (BITS - 2)) expect(lifted[i]).toBe(BigInt(v))
    expect(rest[i] === 0n, `${v}`).toBe(lifted[i] === BigInt(v))
  })
  // The oracle knows of each whether its lift is right; of the lift it says what it should be.
  const own = trial.complaints.filter((c) => c.startsWith('overflow'))
  expect(own).toEqual([])
})

it('refuses a share with nothing above its opening', () => {
  expect(
    () =>
      new Trial((plan, given) => {
        const x = given([1], { ring: BITS, width: 1 })
        overflow(plan, x, open(plan, x, { bits: BITS, lift: 12 }))
      }),
  ).toThrow(RangeError)
})
