import { expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import type { Share } from '../values.ts'
import { suppressPadding } from './suppress-padding.ts'

const shape = { base: 0, rows: 3, serial: 4, seen: 3 }
const padding = Uint8Array.of(0, 1, 0)
const scores = Array.from({ length: 18 }, (_, i) => 10 * i - 50)

it('lowers the padded positions of every row, at the owner alone', () => {
  let x!: Share
  let y!: Share
  const trial = new Trial(
    (plan, given) => {
      x = given(scores, { ring: 12, width: 2, layout: 'pair' })
      y = suppressPadding(plan, x, 700n)
    },
    { shape, padding },
  )
  expect(trial.complaints).toEqual([])
  const want = scores.map((v, i) => BigInt.asIntN(12, BigInt(Math.floor(i / 2) % 3 === 1 ? v - 700 : v)))
  expect(trial.integers(y)).toEqual(want)
  expect(trial.server.get(y)).toEqual(trial.server.get(x))
  const step = trial.plan.steps.find((s) => s.op === 'suppressPadding')
  expect([step?.slots, step?.wire]).toEqual([[], undefined])
})

it('does the same for the last row alone, and nothing where nothing is padding', () => {
  const last = { ring: 12, width: 1, layout: 'lastPair' as const }
  for (const [mask, want] of [
    [padding, [1n, -6n, 3n]],
    [undefined, [1n, 2n, 3n]],
  ] as const) {
    let y!: Share
    const trial = new Trial(
      (plan, given) => {
        y = suppressPadding(plan, given([1, 2, 3], last), 8n)
      },
      { shape, padding: mask },
    )
    expect(trial.complaints).toEqual([])
    expect(trial.integers(y)).toEqual(want)
  }
})

it('refuses a padding of other rows than the pass has', () => {
  const make = () =>
    new Trial(
      (plan, given) => void suppressPadding(plan, given(scores, { ring: 12, width: 2, layout: 'pair' }), 1n),
      {
        shape,
        padding: Uint8Array.of(0, 1),
      },
    )
  expect(make).toThrow(RangeError)
})
