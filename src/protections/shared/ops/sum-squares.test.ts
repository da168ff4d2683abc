import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import type { Share } from '../values.ts'
import { open } from './open.ts'
import { sumSquares } from './sum-squares.ts'

it('sums squares exactly, for every value and mask of a small ring', () => {
  const bits = 5
  const pairs = Array.from({ length: 16 * 32 }, (_, i) => ({ v: (i % 16) - 8, m: BigInt(i >> 4) }))
  let y!: Share
  const trial = new Trial(
    (plan, given) => {
      const x = given(
        pairs.map((p) => p.v),
        { ring: 8, width: 1 },
      )
      y = sumSquares(plan, open(plan, x, { bits, lift: 12 }), 12)
    },
    {
      shape: { base: 0, rows: pairs.length, serial: 0 },
      mask: () => BigUint64Array.from(pairs, (p, i) => p.m + (BigInt(i % 128) << 5n)),
    },
  )
  expect(trial.complaints).toEqual([])
  expect(trial.integers(y)).toEqual(pairs.map(({ v }) => BigInt(v * v)))
})

it('sums rows of extreme values up to 64 bits', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 6, max: 32 }),
      fc.integer({ min: 0, max: 255 }),
      fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 5, maxLength: 5 }),
      (bits, seed, parts) => {
        const limit = 2 ** (bits - 2)
        const row = [...parts.map((p) => Math.trunc(p * (limit - 1))), -limit, limit - 1, 0]
        const values = [...row, ...row.map(() => -limit)]
        const lift = Math.min(64, 2 * bits)
        let y!: Share
        const trial = new Trial(
          (plan, given) => {
            const x = given(values, { ring: bits, width: row.length, frac: 3 })
            y = sumSquares(plan, open(plan, x, { bits, lift }), lift)
          },
          { seed, shape: { base: 0, rows: 2, serial: 5 } },
        )
        expect(trial.complaints).toEqual([])
        expect(y.scale.bits).toBe(6)
        const sum = (part: number[]): bigint =>
          part.reduce((n, v) => BigInt.asIntN(lift, n + BigInt(v) * BigInt(v)), 0n)
        expect(trial.integers(y)).toEqual([sum(row), sum(row.map(() => -limit))])
      },
    ),
    { numRuns: 40 },
  )
})

it('sums runs of columns by themselves', () => {
  let y!: Share
  const values = [1, 2, -3, 4, 5, -6, 7, 8]
  const trial = new Trial(
    (plan, given) => {
      const x = given(values, { ring: 8, width: 4 })
      y = sumSquares(plan, open(plan, x, { bits: 8, lift: 16 }), 16, 2)
    },
    { shape: { base: 0, rows: 2, serial: 3 } },
  )
  expect(trial.complaints).toEqual([])
  expect(trial.integers(y)).toEqual([5n, 25n, 61n, 113n])
})

it('refuses a ring wider than was dealt', () => {
  expect(
    () =>
      new Trial((plan, given) =>
        sumSquares(plan, open(plan, given([1], { ring: 8, width: 1 }), { bits: 8, lift: 16 }), 17),
      ),
  ).toThrow(RangeError)
})
