import { expect, it } from 'vitest'
import { costOf } from '../../src/protections/shared/cost.ts'
import { open } from '../../src/protections/shared/ops/open.ts'
import { laneBits } from '../../src/protections/shared/ring.ts'
import type { Share } from '../../src/protections/shared/values.ts'
import { Trial } from '../support/protocol/plans.ts'
import { addNarrow, parity } from './toy-op.ts'

const BITS = 5
const values = Array.from({ length: 2 ** BITS }, (_, v) => v)
const odd = values.map((v) => BigInt([...v.toString(2)].filter((bit) => bit === '1').length % 2))

function run(seed: number): { trial: Trial; one: Share<8>; two: Share<8> } {
  let one!: Share<8>
  let two!: Share<8>
  const trial = new Trial(
    (plan, given) => {
      const x = open(plan, given(values, { ring: BITS, width: values.length }), { bits: BITS })
      one = parity(plan, x)
      two = addNarrow(plan, one, parity(plan, x))
    },
    { seed },
  )
  return { trial, one, two }
}

it.each([1, 2, 3])('a new operation is right at all parties and in the oracle, under masks %i', (seed) => {
  const { trial, one, two } = run(seed)
  expect(trial.complaints).toEqual([])
  expect([...trial.total(one)]).toEqual(odd)
  expect([...trial.total(two)]).toEqual(odd.map((v) => 2n * v))
})

it('its values lie in lanes as narrow as it says', () => {
  const { trial, two } = run(1)
  for (const party of [trial.owner, trial.server, trial.oracle]) expect(laneBits(party.get(two))).toBe(8)
})

it('it costs what it declares', () => {
  const { trial, one, two } = run(1)
  const shape = { base: 0, rows: 1, serial: 0 }
  const dealt = 8 * values.length * 2 ** BITS
  expect(costOf(shape, trial.plan.steps[one.step])).toEqual({ hops: 0, up: 0, down: 0, dealt, masks: 0 })
  expect(8 * (trial.dealt.get(one.step)?.length ?? 0)).toBe(dealt)
  expect(costOf(shape, trial.plan.steps[two.step]).dealt).toBe(0)
})

it('an operation that makes other lanes than it declares is found out', () => {
  const wrong = () =>
    new Trial((plan, given) => {
      const x = given([1, 2], { ring: 8, width: 2 })
      const { step: _, ...type } = x
      const run = () => new BigUint64Array(2) as never
      plan.step<Share<8>>('wrong', { ...type, lanes: 8 }, [x], () => ({ run, oracle: run }))
    })
  expect(wrong).toThrow('made lanes of 64 bits where it declares 8')
})
