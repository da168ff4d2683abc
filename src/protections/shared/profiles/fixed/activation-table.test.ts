import { describe, expect, it } from 'vitest'
import { Trial } from '../../../../../test/support/protocol/plans.ts'
import { activations } from '../../../../model/math.ts'
import { activate } from '../../ops/activate.ts'
import { open } from '../../ops/open.ts'
import type { Share } from '../../values.ts'
import { activationPrecision, tableOf } from './activation-table.ts'
import { precisionOf } from './widths.ts'

const F = precisionOf({ arch: 'llama' }).activation
const BITS = 13
const exact = { ...activations, tanh: Math.tanh }

/**
 * How far a table is off its function at every step-th opened value, masks of all kinds: within the limit, or `beyond`
 * it as far as no segment reaches over the ring's end.
 */
function errors(
  name: keyof typeof exact,
  limit: number,
  step: number,
  { hasManyRows = false, beyond = false } = {},
): Map<number, number> {
  const precision = activationPrecision(hasManyRows)
  const { basisBits } = precision
  const table = tableOf(name, limit, precision)
  const bits = F + table.half + 1
  const end = 2 ** table.half - 2 ** (table.half + 1 - table.entryBits)
  const last = Math.floor((beyond ? end : limit) * 2 ** F)
  const values = [-last, last, 0]
  for (let v = -last + 1; v < last; v += step) if (!beyond || Math.abs(v) > limit * 2 ** F) values.push(v)
  const width = values.length
  let y!: Share
  const trial = new Trial((plan, given) => {
    const g = open(plan, given(values, { ring: bits, width, frac: F }), { bits })
    const ring = BITS + basisBits + table.half + 2
    y = activate(plan, g, undefined, { ...table, limit, coefficientBits: BITS, basisBits, ring })
  })
  const complaints = trial.complaints.filter((c) => !beyond || !c.includes('outside its table'))
  expect(complaints).toEqual([])
  return new Map(
    trial.reals(y).map((got, i) => [values[i] / 2 ** F, Math.abs(got - exact[name](values[i] / 2 ** F))]),
  )
}

const largest = (errors: Map<number, number>): number => [...errors.values()].reduce((a, b) => Math.max(a, b))

describe.each([
  ['silu', [1, 6, 30]],
  ['gelu', [1, 8, 30]],
  ['gelu_tanh', [1, 8, 30]],
  ['tanh', [0.25, 3, 8, 60]],
] as const)('%s', (name, limits) => {
  it.for(limits)('is within 0.002 for all inputs up to +-%d', async (limit, { annotate }) => {
    // Every value of small ranges, and a hundred and more for each segment of others.
    const step = Math.ceil(6 * limit)
    const most = Math.max(
      ...[false, true].map((hasManyRows) => largest(errors(name, limit, step, { hasManyRows }))),
    )
    await annotate(`largest error ${most.toExponential(1)}`)
    expect(most).toBeLessThan(0.002)
  })

  it('goes on as it ends, beyond the limit too', () => {
    expect(largest(errors(name, 9, 128, { beyond: true }))).toBeLessThan(0.002)
  })
})

it.for([2, 8])("SPRINT's GELU up to +-%d is within 0.002 but for its jumps", async (limit, { annotate }) => {
  let most = 0
  let atJump = 0
  for (const [x, error] of errors('gelu_sprint', limit, Math.ceil(4 * limit)))
    if (Math.abs(Math.abs(x) - 2.7) < 0.25) atJump = Math.max(atJump, error)
    else most = Math.max(most, error)
  await annotate(`largest error ${most.toExponential(1)}, ${atJump.toExponential(1)} within 0.25 of a jump`)
  expect(most).toBeLessThan(0.002)
  // The function jumps by 0.011 there; a bridge is at most half of that off.
  expect(atJump).toBeLessThan(0.0075)
})
