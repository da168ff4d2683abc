import { describe, expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import { activations } from '../../../model/math.ts'
import { activationTable } from '../profiles/fixed/activation-table.ts'
import type { Share } from '../values.ts'
import { activate } from './activate.ts'
import { open } from './open.ts'

const FRAC = 12
const BASIS = 13
const COEFFICIENT = 13

describe.each([
  ['silu', 0.4],
  ['silu', 2.6],
  ['silu', 5.9],
  ['gelu', 3.9],
  ['gelu', 8.1],
  ['gelu_tanh', 12],
] as const)('%s within +-%d', (name, limit) => {
  const f = activations[name]
  const table = activationTable(name, f, limit, 2 ** -(FRAC - 1))
  const gateBits = FRAC + table.half + 1
  const options = { f, ...table, limit, coefficientBits: COEFFICIENT, basisBits: BASIS }
  /** All of the range in steps, and its ends. */
  const values = Array.from({ length: 1024 }, (_, i) => Math.trunc(((i - 512) / 512) * limit * 2 ** FRAC))
  values.push(Math.floor(limit * 2 ** FRAC), 0, 1, -1)
  const width = values.length

  it.each([1, 2, 3, 4])('is within 0.002 over the whole range, masks %i', (seed) => {
    let y!: Share
    const trial = new Trial(
      (plan, given) => {
        const g = open(plan, given(values, { ring: gateBits, width, frac: FRAC }), { bits: gateBits })
        y = activate(plan, g, undefined, { ...options, ring: COEFFICIENT + BASIS + table.half + 2 })
      },
      { seed },
    )
    expect(trial.complaints).toEqual([])
    const errors = trial.reals(y).map((got, i) => Math.abs(got - f(values[i] / 2 ** FRAC)))
    expect(Math.max(...errors)).toBeLessThan(0.002)
  })

  it('times another value is that product, without opening either', () => {
    const upBits = FRAC + 5
    const most = 2 ** (upBits - 2)
    const up = values.map((_, i) => (i % 3 === 0 ? most - 1 : i % 3 === 1 ? -most : 37 * i - 20000))
    let y!: Share
    const trial = new Trial((plan, given) => {
      const g = open(plan, given(values, { ring: gateBits, width, frac: FRAC }), { bits: gateBits })
      const u = open(plan, given(up, { ring: upBits, width, frac: FRAC }), { bits: upBits, centred: true })
      y = activate(plan, g, u, { ...options, ring: COEFFICIENT + BASIS + upBits + table.half + 2 })
    })
    expect(trial.complaints).toEqual([])
    trial.reals(y).forEach((got, i) => {
      const u = up[i] / 2 ** FRAC
      expect(Math.abs(got - f(values[i] / 2 ** FRAC) * u)).toBeLessThan(0.002 * Math.max(1, Math.abs(u)))
    })
  })

  it('reports an argument beyond the limit', () => {
    const beyond = Math.floor(limit * 2 ** FRAC) + 1
    for (const [v, n] of [
      [beyond - 1, 0],
      [beyond, 1],
      [-beyond, 1],
    ]) {
      const trial = new Trial((plan, given) => {
        const g = open(plan, given([v], { ring: gateBits, width: 1, frac: FRAC }), { bits: gateBits })
        activate(plan, g, undefined, { ...options, ring: 40 })
      })
      expect(trial.oracle.violations).toHaveLength(n)
    }
  })
})

it('is right for every value and every mask of a small ring', () => {
  const ring = 6
  const limit = 3.5
  const pairs: { v: number; m: bigint }[] = []
  for (let v = -28; v <= 28; v++) for (let m = 0n; m < 64n; m++) pairs.push({ v, m })
  const width = pairs.length
  let y!: Share
  const trial = new Trial(
    (plan, given) => {
      const x = given(
        pairs.map((p) => p.v),
        { ring, width, frac: 3 },
      )
      const shape = { entryBits: 3, degree: 4, coefficientBits: COEFFICIENT, basisBits: BASIS, ring: 40 }
      y = activate(plan, open(plan, x, { bits: ring }), undefined, { f: activations.silu, limit, ...shape })
    },
    { mask: () => BigUint64Array.from(pairs, (p) => p.m) },
  )
  expect(trial.complaints).toEqual([])
  const errors = trial.reals(y).map((got, i) => Math.abs(got - activations.silu(pairs[i].v / 8)))
  expect(Math.max(...errors)).toBeLessThan(0.002)
})
