import { expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import type { Share } from '../values.ts'
import { meanWeights } from './mean-weights.ts'

const shape = { base: 0, rows: 8, serial: 4, seen: 8 }
const rows = { ring: 40, width: 1, layout: 'row' as const }
const values = Array.from({ length: 8 }, (_, i) => i)

it.each([
  [Uint8Array.of(0, 0, 1, 1, 1, 1, 1, 0), 3],
  [Uint8Array.of(0, 1, 1, 1, 1, 1, 1, 0), 2],
  [undefined, 8],
])('every row counts alike, padding for nothing, and all for one: %s', (padding, count) => {
  let y!: Share
  const trial = new Trial(
    (plan, given) => {
      y = meanWeights(plan, given(values, rows), 16)
    },
    { shape, padding },
  )
  expect(trial.complaints).toEqual([])
  const weights = trial.integers(y).map(Number)
  expect(weights.reduce((a, b) => a + b)).toBe(2 ** 16)
  weights.forEach((weight, r) => {
    expect(Math.abs(weight - (padding?.[r] ? 0 : 2 ** 16 / count))).toBeLessThan(1)
  })
  // The server has nothing of it.
  expect([...trial.server.get(y)].every((share) => share === 0n)).toBe(true)
})

it('refuses a padding of other rows than the pass has', () => {
  const make = () =>
    new Trial((plan, given) => void meanWeights(plan, given(values, rows), 16), {
      shape,
      padding: Uint8Array.of(0, 1),
    })
  expect(make).toThrow(RangeError)
})
