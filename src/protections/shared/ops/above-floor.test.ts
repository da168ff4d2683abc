import { expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import type { Share } from '../values.ts'
import { aboveFloor } from './above-floor.ts'
import { open } from './open.ts'

it.each([
  ['one level', { ring: 12, entryBits: 5 }, 7],
  ['two levels', { ring: 13, entryBits: 5, fineShift: 4 }, 4],
  ['three levels', { ring: 14, entryBits: 4, fineShift: 4, levels: 3 }, 4],
] as const)('%s: zero below the first segment and never above the second', (_, geometry, lowest) => {
  const floor = 2 ** lowest
  // All values but those of the segment that tables keep free.
  const values = Array.from({ length: (15 / 16) * 2 ** geometry.ring }, (_, i) => i)
  for (const seed of [1, 2, 3]) {
    let told!: Share
    const trial = new Trial(
      (plan, given) => {
        const x = given(values, { ring: geometry.ring, width: values.length })
        told = aboveFloor(plan, open(plan, x, { bits: geometry.ring }), geometry)
      },
      { seed },
    )
    expect(trial.complaints).toEqual([])
    trial.integers(told).forEach((v, i) => {
      if (values[i] < floor) expect(v, `${i}`).toBe(0n)
      else if (values[i] >= 2 * floor) expect(v, `${i}`).not.toBe(0n)
    })
  }
})
