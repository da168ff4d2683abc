import { describe, expect, it } from 'vitest'
import { type Given, Trial, type TrialOptions } from '../../../../test/support/protocol/plans.ts'
import type { PlanBuilder } from '../plan.ts'
import { fraction } from '../scale.ts'
import type { Share } from '../values.ts'
import { add } from './add.ts'
import { addBias } from './add-bias.ts'
import { addConstant } from './add-constant.ts'
import { input } from './input.ts'
import { lastRow } from './last-row.ts'
import { release } from './release.ts'
import { rotary } from './rotary.ts'
import { slice } from './slice.ts'
import { sumPositions } from './sum-positions.ts'

const shape = { base: 2, rows: 2, serial: 6 }

function run(
  make: (plan: PlanBuilder, given: Given) => Share,
  o: TrialOptions = {},
): { y: Share; trial: Trial } {
  let y!: Share
  const trial = new Trial(
    (plan, given) => {
      y = make(plan, given)
    },
    { shape, ...o },
  )
  expect(trial.complaints).toEqual([])
  return { y, trial }
}

const x = [1, -2, 3, -4, 5, -6]

describe('local steps', () => {
  it('add in the smaller ring', () => {
    const { y, trial } = run((plan, given) =>
      add(
        plan,
        given(x, { ring: 20, width: 3 }),
        given(
          x.map((v) => 1000 * v),
          { ring: 12, width: 3 },
        ),
      ),
    )
    expect(y.ring).toBe(12)
    expect(trial.integers(y)).toEqual(x.map((v) => BigInt.asIntN(12, BigInt(1001 * v))))
    expect(() =>
      run((plan, given) =>
        add(plan, given(x, { ring: 8, width: 3 }), given(x, { ring: 8, width: 3, frac: 1 })),
      ),
    ).toThrow(RangeError)
  })

  it('cut columns and the last row', () => {
    const cut = run((plan, given) => slice(plan, given(x, { ring: 20, width: 3 }), 1, 2, 3))
    expect(cut.trial.integers(cut.y)).toEqual([-2n, 3n, -6n, -4n, 5n, -6n].slice(0, 2).concat([-3n, 2n]))
    const last = run((plan, given) => lastRow(plan, given(x, { ring: 20, width: 3 })))
    expect(last.trial.integers(last.y)).toEqual([-4n, 5n, -6n])
    expect(last.y.layout).toBe('last')
  })

  it('add the server’s bias to every row, and a constant once', () => {
    const b = run((plan, given) => addBias(plan, given(x, { ring: 20, width: 3 }), 'b'), {
      biases: { b: [10, -20, 30] },
    })
    expect(b.trial.integers(b.y)).toEqual([11n, -22n, 33n, 6n, -15n, 24n])
    const c = run((plan, given) => addConstant(plan, given(x, { ring: 20, width: 3 }), -1000n, 9))
    expect(c.trial.integers(c.y)).toEqual(x.map((v) => BigInt.asIntN(9, BigInt(v - 1000))))
  })

  it('sum over the positions of a row', () => {
    const pairs = Array.from({ length: 14 }, (_, i) => i * i - 40)
    const { y, trial } = run((plan, given) =>
      sumPositions(plan, given(pairs, { ring: 30, width: 2, layout: 'pair' })),
    )
    const total = (from: number, n: number, h: number): bigint =>
      BigInt(Array.from({ length: n }, (_, j) => pairs[from + 2 * j + h]).reduce((a, b) => a + b))
    expect(trial.integers(y)).toEqual([total(0, 3, 0), total(0, 3, 1), total(6, 4, 0), total(6, 4, 1)])
    const last = pairs.slice(6)
    const one = run((plan, given) =>
      sumPositions(plan, given(last, { ring: 30, width: 2, layout: 'lastPair' })),
    )
    expect(one.trial.integers(one.y)).toEqual([total(6, 4, 0), total(6, 4, 1)])
  })

  it('rotate by the position, as half-split pairs', () => {
    const values = Array.from({ length: 16 }, (_, i) => (i - 8) * 300)
    const o = { headDim: 4, frequencies: Float64Array.of(1, 0.01), frac: 13 }
    const { y, trial } = run((plan, given) => rotary(plan, given(values, { ring: 40, width: 8, frac: 8 }), o))
    const want = values.map((_, at) => {
      const [r, c] = [Math.floor(at / 8), at % 4]
      const i = c % 2
      const angle = (shape.base + r) * 10000 ** (-i / 2)
      const [e, f] = [values[at - c + i], values[at - c + i + 2]]
      return (
        (c < 2 ? e * Math.cos(angle) - f * Math.sin(angle) : e * Math.sin(angle) + f * Math.cos(angle)) / 256
      )
    })
    trial.reals(y).forEach((got, i) => {
      expect(Math.abs(got - want[i])).toBeLessThan(2400 * 2 ** -21)
    })
  })
})

it('the owner’s input is hidden by a secret of its own, and reaches the release unchanged', () => {
  const values = [5n, -3n, (1n << 20n) - 1n, -(1n << 20n)].map((v) => BigInt.asUintN(22, v))
  let x!: Share
  const trial = new Trial(
    (plan) => {
      x = input(plan, { width: 2, ring: 22, scale: fraction(4) })
      release(plan, lastRow(plan, x))
    },
    { shape, input: values },
  )
  expect(trial.complaints).toEqual([])
  expect([...trial.total(x)]).toEqual(values)
  expect([...trial.server.get(x)]).not.toEqual(values)
  const released = trial.plan.steps.at(-1)!.out
  expect([...trial.owner.get(released)]).toEqual(values.slice(2))
  // Nothing but the owner's own result holds it.
  expect(trial.server.get(released)).toHaveLength(0)
  expect(trial.dealt.size).toBe(0)
})
