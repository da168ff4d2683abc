import { expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import type { Share } from '../values.ts'
import { hidePositions } from './hide-positions.ts'

// Tokens 1, 2 and 3 of a text of four, then its first one.
const shape = { base: 0, rows: 4, serial: 4, seen: 4 }
const pairs = { ring: 12, width: 1, layout: 'pair' as const }
const scores = Array.from({ length: 16 }, (_, i) => 10 * i - 50)

it('lowers what is padding or too far away for each row, at the owner alone', () => {
  let x!: Share
  let y!: Share
  const trial = new Trial(
    (plan, given) => {
      x = given(scores, pairs)
      y = hidePositions(plan, x, 700n, 1)
    },
    { shape, padding: Uint8Array.of(0, 1, 0, 0) },
  )
  expect(trial.complaints).toEqual([])
  const hidden = ['0110', '0101', '1101', '0110'].join('')
  expect(trial.integers(y)).toEqual(
    scores.map((v, i) => BigInt.asIntN(12, BigInt(hidden[i] === '1' ? v - 700 : v))),
  )
  expect(trial.server.get(y)).toEqual(trial.server.get(x))
  const step = trial.plan.steps.find(({ op }) => op === 'hidePositions')
  expect([step?.slots, step?.wire]).toEqual([[], undefined])
})

it('lowers padding alone where every row sees all, and knows a row chunk’s places', () => {
  const chunk = { ...shape, base: 2, rows: 2 }
  for (const [window, hidden] of [
    [undefined, '01000100'],
    [1, '11010110'],
  ] as const) {
    let y!: Share
    const trial = new Trial(
      (plan, given) => {
        y = hidePositions(plan, given(scores.slice(8), pairs), 8n, window)
      },
      { shape: chunk, padding: Uint8Array.of(0, 1, 0, 0) },
    )
    expect(trial.complaints).toEqual([])
    expect(trial.integers(y)).toEqual(scores.slice(8).map((v, i) => BigInt(hidden[i] === '1' ? v - 8 : v)))
  }
})

it('lowers padding for every head, and for the last row alone; nothing where nothing is padding', () => {
  const three = { base: 0, rows: 3, serial: 4, seen: 3 }
  const heads = Array.from({ length: 18 }, (_, i) => 10 * i - 50)
  const wanted = heads.map((v, i) => (Math.floor(i / 2) % 3 === 1 ? v - 700 : v))
  for (const [values, type, amount, padding, want] of [
    [heads, { ring: 12, width: 2, layout: 'pair' }, 700n, Uint8Array.of(0, 1, 0), wanted],
    [[1, 2, 3], { ring: 12, width: 1, layout: 'lastPair' }, 8n, Uint8Array.of(0, 1, 0), [1, -6, 3]],
    [[1, 2, 3], { ring: 12, width: 1, layout: 'lastPair' }, 8n, undefined, [1, 2, 3]],
  ] as const) {
    let y!: Share
    const trial = new Trial(
      (plan, given) => {
        y = hidePositions(plan, given([...values], type), amount)
      },
      { shape: three, padding },
    )
    expect(trial.complaints).toEqual([])
    expect(trial.integers(y)).toEqual(want.map((v) => BigInt.asIntN(12, BigInt(v))))
  }
})

it('refuses a padding of other rows than the pass has', () => {
  const make = () =>
    new Trial((plan, given) => void hidePositions(plan, given(scores, pairs), 1n), {
      shape,
      padding: Uint8Array.of(0, 1),
    })
  expect(make).toThrow(RangeError)
})
