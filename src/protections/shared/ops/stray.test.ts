import { describe, expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import type { Share } from '../values.ts'
import { open } from './open.ts'
import { stray } from './stray.ts'

const BITS = 8
const values = Array.from({ length: 2 ** 11 - 2 }, (_, i) => i - 2 ** 10 + 1)

describe.each([
  ['a signed window', { low: -128n, bits: BITS, segments: 4 }, 0],
  ['a window of indices', { low: 0n, bits: BITS, segments: 5 }, 0],
  ['a window with margins', { low: -128n, bits: BITS, segments: 4, margin: 20 }, 20],
  ['a narrower window than the opening', { low: -32n, bits: 6, segments: 3 }, 0],
  ['segments of one value', { low: -128n, bits: BITS, segments: BITS }, 0],
])('%s', (_, window, margin) => {
  it.each([1, 2, 3])('is zero inside and never outside, masks %i', (seed) => {
    let z!: Share
    const trial = new Trial(
      (plan, given) => {
        const x = given(values, { ring: 12, width: values.length })
        z = stray(plan, x, open(plan, x, { bits: BITS }), window, window.bits + 4)
      },
      { seed },
    )
    expect(trial.complaints).toEqual([])
    const segment = window.segments === window.bits ? 0 : 2 ** (window.bits - window.segments)
    const [from, to] = [Number(window.low) + margin, Number(window.low) + 2 ** window.bits - margin]
    trial.integers(z).forEach((rest, i) => {
      const v = values[i]
      // So many windows are told apart.
      if (Math.abs(v) >= 7 * 2 ** window.bits) return
      if (v < from || v >= to) expect(rest, `${v}`).not.toBe(0n)
      else if (v >= from + segment && v < to - segment) expect(rest, `${v}`).toBe(0n)
    })
  })
})

it('tells what is inside in rings that are much wider than the window', () => {
  const some = [-200, -129, -128, -1, 0, 5, 127, 128, 300]
  let z!: Share
  const trial = new Trial((plan, given) => {
    const x = given(some, { ring: 62, width: some.length })
    z = stray(plan, x, open(plan, x, { bits: BITS }), { low: -128n, bits: BITS, segments: BITS }, 62)
  })
  expect(trial.complaints).toEqual([])
  expect(trial.integers(z).map((rest) => rest === 0n)).toEqual(some.map((v) => v >= -128 && v < 128))
})

it('refuses rings in which nothing could show', () => {
  const refused = (ring: number, bits: number) => () =>
    new Trial((plan, given) => {
      const x = given([1], { ring: 12, width: 1 })
      stray(plan, x, open(plan, x, { bits: BITS }), { low: 0n, bits, segments: 2 }, ring)
    })
  expect(refused(9, 8)).toThrow(RangeError)
  expect(refused(13, 8)).toThrow(RangeError)
  expect(refused(12, 9)).toThrow(RangeError)
})
