import { describe, expect, it } from 'vitest'
import { everyPair, maskedTrial } from '../../../../test/support/protocol/every.ts'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import { UNSCALED } from '../scale.ts'
import type { Share } from '../values.ts'
import { lookupPair, pairTable } from './lookup-pair.ts'
import { open } from './open.ts'

const f = (x: number, y: number): number => (7 * x + 31 * y * y + 5) % 251
const type = { ring: 11, scale: UNSCALED }

describe.each([
  [2, 3],
  [4, 4],
  [5, 2],
])('a table of all pairs of %i and %i bits', (xBits, yBits) => {
  const table = pairTable(xBits, yBits, f)
  const pairs = everyPair(2 ** xBits, 2 ** yBits)
  const [xs, ys] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)]

  it('is read rightly for every pair, under masks of every kind', () => {
    for (let turn = 0; turn < 16; turn++) {
      // All differences of masks in the course of the turns, and for pairs that stand apart in a trial.
      const a = xs.map((_, i) => (3 * i + turn) % 2 ** xBits)
      const b = ys.map((_, i) => (5 * i + Math.floor(i / 7) + 11 * turn) % 2 ** yBits)
      let z!: Share
      const trial = maskedTrial(
        (plan, given) => {
          const x = open(plan, given(xs, { ring: xBits, width: xs.length }), { bits: xBits })
          const y = open(plan, given(ys, { ring: yBits, width: ys.length }), { bits: yBits })
          z = lookupPair(plan, x, y, table, type)
        },
        [a, b],
      )
      expect(trial.complaints).toEqual([])
      expect([...trial.total(z)]).toEqual(pairs.map(([x, y]) => BigInt(f(x, y))))
    }
  })

  it('is read rightly for one pair under every pair of masks', () => {
    const [x0, y0] = [2 ** xBits - 1, 1]
    let z!: Share
    const trial = maskedTrial(
      (plan, given) => {
        const of = (v: number, ring: number) =>
          open(plan, given(Array(pairs.length).fill(v), { ring, width: pairs.length }), { bits: ring })
        z = lookupPair(plan, of(x0, xBits), of(y0, yBits), table, type)
      },
      [xs, ys],
    )
    expect(trial.complaints).toEqual([])
    expect(new Set(trial.total(z))).toEqual(new Set([BigInt(f(x0, y0))]))
  })
})

describe('tiles of columns that share their second values', () => {
  const table = pairTable(3, 2, f)
  const xs = Array.from({ length: 24 }, (_, i) => (5 * i) % 8)
  const make = (ys: number[]) => {
    let z!: Share
    const trial = new Trial(
      (plan, given) => {
        const x = open(plan, given(xs, { ring: 3, width: 12 }), { bits: 3 })
        const y = open(plan, given(ys, { ring: 2, width: ys.length / 2 }), { bits: 2 })
        z = lookupPair(plan, x, y, table, type)
      },
      { shape: { base: 0, rows: 2, serial: 4 } },
    )
    return { trial, z }
  }

  it('read it under its one mask', () => {
    const ys = [0, 1, 2, 3, 3, 0, 1, 2]
    const { trial, z } = make(ys)
    expect(trial.complaints).toEqual([])
    expect([...trial.total(z)]).toEqual(xs.map((x, i) => BigInt(f(x, ys[Math.floor(i / 12) * 4 + (i % 4)]))))
  })

  it('are refused where they do not fill the rows', () => {
    expect(() => make(Array(10).fill(1))).toThrow(RangeError)
  })
})
