import { describe, expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import type { Share } from '../values.ts'
import { truncate } from './truncate.ts'

/** Every value of Z_2^ring with every owner's share. */
function exhaustive(ring: number, t: number): { values: number[]; got: bigint[]; complaints: string[] } {
  const size = 2 ** ring
  const values: number[] = []
  const shares: number[] = []
  for (let x = -size / 2; x < size / 2; x++)
    for (let s = 0; s < size; s++) {
      values.push(x)
      shares.push(s)
    }
  let y!: Share
  const trial = new Trial(
    (plan, given) => {
      y = truncate(plan, given(values, { ring, width: values.length, frac: t }), t, ring - t, 'modular')
    },
    { ownerShares: [shares] },
  )
  return { values, got: trial.integers(y), complaints: trial.complaints }
}

describe.each([
  [6, 1],
  [7, 3],
  [8, 4],
  [6, 5],
  [5, 0],
])('Z_2^%i less %i bits', (ring, t) => {
  const { values, got, complaints } = exhaustive(ring, t)
  it('is what the oracle says, given the owner’s share', () => expect(complaints).toEqual([]))

  it('is the floor or one more, for every value and share, and never wraps', () => {
    const k = ring - t
    const wrong = values.filter((x, i) => {
      const floor = BigInt(Math.floor(x / 2 ** t))
      return got[i] !== BigInt.asIntN(k, floor) && got[i] !== BigInt.asIntN(k, floor + 1n)
    })
    expect(wrong).toEqual([])
  })

  it('is exact where nothing is dropped', () => {
    const k = ring - t
    for (let i = 0; i < values.length; i++)
      if (t === 0) expect(got[i]).toBe(BigInt.asIntN(k, BigInt(values[i])))
  })

  it('is unbiased over the owner’s share', () => {
    const size = 2 ** ring
    for (let x = 0; x < size; x++) {
      const value = x - size / 2
      // At the very ends rounding leaves the ring, which plans never come near.
      if (Math.abs(value) >= size / 2 - 2 ** t) continue
      let sum = 0
      for (let s = 0; s < size; s++) sum += Number(got[x * size + s]) * 2 ** t - value
      expect(sum).toBe(0)
    }
  })
})

it('reports a result that does not fit, and refuses a ring that it cannot fill', () => {
  const trial = new Trial((plan, given) => {
    truncate(plan, given([100, 3000, -3000], { ring: 14, width: 3 }), 4, 8)
  })
  expect(trial.oracle.violations).toHaveLength(2)
  const unsigned = new Trial((plan, given) => {
    truncate(plan, given([3000, 5000], { ring: 14, width: 2 }), 4, 8, 'unsigned')
  })
  expect(unsigned.oracle.violations).toHaveLength(1)
  expect(() => new Trial((plan, given) => truncate(plan, given([1], { ring: 8, width: 1 }), 4, 5))).toThrow(
    RangeError,
  )
})

it.each([1, 30, 31, 32, 33, 40])('rounds as described where %i bits of 52 are dropped', (t) => {
  const values: number[] = []
  const shares: number[] = []
  const places = [
    0,
    1,
    2 ** t - 1,
    2 ** t,
    2 ** t + 1,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 51 - 1,
    2 ** 52 - 1,
  ]
  for (const x of places)
    for (const share of places) {
      values.push(x < 2 ** 51 ? x : x - 2 ** 52)
      shares.push(share)
    }
  let y!: Share
  const trial = new Trial(
    (plan, given) => {
      y = truncate(plan, given(values, { ring: 52, width: values.length, frac: t }), t, 52 - t, 'modular')
    },
    { ownerShares: [shares] },
  )
  expect(trial.complaints).toEqual([])
  trial.integers(y).forEach((got, i) => {
    // The owner rounds its share down, the server rounds its own up.
    const owner = BigInt(shares[i])
    const server = BigInt.asUintN(52, BigInt(values[i]) - owner)
    const low = (1n << BigInt(t)) - 1n
    expect(got).toBe(BigInt.asIntN(52 - t, (owner >> BigInt(t)) + ((server + low) >> BigInt(t))))
  })
})
