import { expect, it } from 'vitest'
import { Trial } from '../../../../../test/support/protocol/plans.ts'
import { schedule } from '../../schedule.ts'
import type { Released } from '../../values.ts'
import { alarm } from './alarm.ts'

const shape = { base: 1, rows: 3, serial: 4 }
/** Of rows, and of pairs of two heads: rows see 2, 3 and 4 positions. */
const rows = Array<number>(3 * 5).fill(0)
const pairs = Array<number>(9 * 2).fill(0)
const NOTHING = '0'.repeat(32)

function told(change: { rows?: [at: number, by: number]; pairs?: [at: number, by: number] }, seed: number) {
  const put = (values: number[], [at, by]: [number, number] = [0, 0]): number[] =>
    values.map((v, i) => (i === at ? by : v))
  let released!: Released
  const trial = new Trial(
    (plan, given) => {
      const values = [
        given(put(rows, change.rows), { ring: 21, width: 5 }),
        given(put(pairs, change.pairs), { ring: 47, width: 2, layout: 'pair' }),
      ]
      released = alarm(plan, values)
    },
    { shape, seed },
  )
  expect(trial.complaints).toEqual([])
  const bits = trial.integers(released)
  const said = [0, 1, 2].map((row) =>
    bits
      .slice(32 * row, 32 * row + 32)
      .map((bit) => (bit === 0n ? 0 : 1))
      .join(''),
  )
  return { trial, said }
}

it('is zero for rows all of whose values are, whatever their halves', () => {
  for (const seed of [1, 2, 3]) expect(told({}, seed).said).toEqual([0, 1, 2].map(() => NOTHING))
})

it.each([
  [{ rows: [7, 1] }, 1],
  [{ rows: [14, 2 ** 20] }, 2],
  [{ pairs: [3, 1] }, 0],
  [{ pairs: [4, 2 ** 46] }, 1],
  [{ rows: [0, 5], pairs: [0, -5] }, 0],
] as const)('tells of %j, and of no other row', (change, row) => {
  for (const seed of [1, 2, 3]) {
    const { said } = told(change as Parameters<typeof told>[0], seed)
    expect(said.map((v) => v !== NOTHING)).toEqual([0, 1, 2].map((r) => r === row))
  }
})

it('is another number each time: the owner learns that it is not zero, and no more', () => {
  const all = Array.from({ length: 8 }, (_, seed) => told({ rows: [0, 1] }, seed + 1).said[0])
  expect(new Set(all).size).toBe(all.length)
})

it('shows the server a fingerprint under the owner’s mask alone, and takes a message each way', () => {
  const { trial } = told({}, 1)
  const { messages } = schedule(trial.plan)
  const sent = messages.map((m) => m.steps.map(({ op }) => op).filter((op) => op !== 'input'))
  expect(sent.filter((ops) => ops.length > 0)).toEqual([['openPrint'], ['release']])
})
