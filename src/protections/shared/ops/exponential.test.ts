import { describe, expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import type { Share } from '../values.ts'
import { exponential } from './exponential.ts'
import { open } from './open.ts'

describe.each([
  // Octaves of an entry: a half, one, four.
  { ring: 11, frac: 6, entryBits: 6 },
  { ring: 11, frac: 6, entryBits: 5 },
  { ring: 11, frac: 6, entryBits: 3 },
])('2^z in Z_2^$ring with $entryBits index bits', ({ ring, frac, entryBits }) => {
  const octaves = 2 ** (ring - entryBits - frac)
  const factorBits = 13 + Math.ceil(octaves)
  // All arguments but those of the lowest entry, which an interval may share with a zero that was rounded up.
  const top = 2 ** ring - 2 ** (ring - entryBits) - 4
  const values = Array.from({ length: top }, (_, i) => -i)
  it.each([1, 2, 3, 4, 5, 6])('is close to it for every argument, masks %i', (seed) => {
    let y!: Share
    const trial = new Trial(
      (plan, given) => {
        const z = open(plan, given(values, { ring, width: values.length, frac }), { bits: ring })
        y = exponential(plan, z, { entryBits, frac: 15, factorBits, ring: 15 + factorBits + 3 })
      },
      { seed },
    )
    expect(trial.complaints).toEqual([])
    let worst = 0
    trial.reals(y).forEach((got, i) => {
      const want = 2 ** (values[i] / 2 ** frac)
      // Half a unit of the table, and of the public factor relative to its smallest value.
      expect(Math.abs(got - want)).toBeLessThanOrEqual(2 ** -15 + want * 2 ** (octaves - factorBits))
      worst = Math.max(worst, Math.abs(got - want))
    })
    expect(worst).toBeLessThan(2e-4)
  })
})

it('reads a zero that was rounded up as about one, not as the far end of the range', () => {
  const values = Array.from({ length: 3000 }, (_, i) => (i % 4) - 1)
  let y!: Share
  const trial = new Trial((plan, given) => {
    const type = { ring: 12, width: values.length, frac: 7 }
    const z = open(plan, given(values, type), { bits: 12 })
    y = exponential(plan, z, { entryBits: 5, frac: 14, factorBits: 14, ring: 34 })
  })
  expect(trial.complaints).toEqual([])
  for (const got of trial.reals(y)) expect(Math.abs(got - 1)).toBeLessThan(0.02)
})
