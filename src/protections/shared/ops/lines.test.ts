import { describe, expect, it } from 'vitest'
import { everyMasked, maskedTrial } from '../../../../test/support/protocol/every.ts'
import { lineTable } from '../tables/line-table.ts'
import type { Share } from '../values.ts'
import { lines } from './lines.ts'
import { open } from './open.ts'

const silu = (x: number): number => x / (1 + Math.exp(-x / 8))

describe.each([6, 8])('a function of %i bits by lines', (bits) => {
  const frac = 3
  it('is within a unit and a half of it for every value under every mask', () => {
    const table = lineTable(silu, { ring: bits, entryBits: 4, scale: 2 ** frac })
    const limit = 2 ** (bits - 1) - 2 ** (bits - 4)
    let worst = 0
    for (const { values, masks } of everyMasked(bits)) {
      // Within the table: a line is laid over the end of the range as well.
      const own = values.map((x) => Math.max(1 - limit, Math.min(limit - 1, x - 2 ** (bits - 1))))
      let y!: Share
      const trial = maskedTrial(
        (plan, given) => {
          const g = open(plan, given(own, { ring: bits, width: own.length }), { bits })
          y = lines(plan, g, table, { frac, ring: bits + frac + 1 })
        },
        [masks],
      )
      expect(trial.complaints).toEqual([])
      trial.integers(y).forEach((v, i) => {
        worst = Math.max(worst, Math.abs(Number(v) / 2 ** frac - silu(own[i])))
      })
    }
    expect(worst).toBeGreaterThan(0)
    expect(worst).toBeLessThan(1.5)
  })
})

it('tells of arguments outside the table, and is refused for another ring', () => {
  const make = (ring: number, x: number) =>
    maskedTrial(
      (plan, given) => {
        const g = open(plan, given([x], { ring: 8, width: 1 }), { bits: 8 })
        lines(plan, g, lineTable(silu, { ring, entryBits: 4, scale: 1 }), { frac: 0, ring: 9 })
      },
      [[5]],
    )
  expect(make(8, 111).complaints).toEqual([])
  expect(make(8, -112).complaints).toEqual(['lines: an activation input is outside its table'])
  expect(() => make(9, 1)).toThrow(RangeError)
})
