import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import type { Opened, Share } from '../values.ts'
import { lift } from './lift.ts'
import { open } from './open.ts'

const all = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

describe('an opening that is lifted', () => {
  it.each([
    [4, 4],
    [4, 7],
    [5, 64],
  ])('in Z_2^%i is exact in Z_2^%i for every value and every mask', (bits, ring) => {
    // Every pair of a value that may be lifted and a mask (its low bits; the high ones vary along).
    const values = all(2 ** (bits - 1)).map((v) => v - 2 ** (bits - 2))
    const masks = all(2 ** bits)
    const pairs = values.flatMap((v) => masks.map((m) => ({ v, m })))
    const mask = BigUint64Array.from(pairs, ({ m }, i) =>
      BigInt.asUintN(ring, BigInt(m) + (BigInt(i) << BigInt(bits))),
    )
    let opened!: Opened
    let wide!: Share
    const trial = new Trial(
      (plan, given) => {
        const x = given(
          pairs.map((p) => p.v),
          { ring: 6, width: pairs.length },
        )
        opened = open(plan, x, { bits, lift: Math.max(ring, bits + 1) })
        wide = lift(plan, opened, ring)
      },
      { mask: (value) => (value.kind === 'opened' ? mask : undefined) },
    )
    expect(trial.complaints).toEqual([])
    const limit = ring === bits ? bits : ring
    expect(trial.integers(wide)).toEqual(pairs.map(({ v }) => BigInt.asIntN(limit, BigInt(v))))
  })

  it('keeps extreme values at every offset of the mask, in wide rings', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 40 }).chain((bits) =>
          fc.record({
            bits: fc.constant(bits),
            more: fc.integer({ min: 1, max: 64 - bits }),
            seed: fc.integer({ min: 0, max: 255 }),
            values: fc.array(fc.bigInt(-(1n << BigInt(bits - 2)), (1n << BigInt(bits - 2)) - 1n), {
              minLength: 3,
              maxLength: 3,
            }),
          }),
        ),
        ({ bits, more, seed, values }) => {
          const limit = 1n << BigInt(bits - 2)
          const cases = [...values, 0n, 1n, -1n, limit - 1n, -limit]
          let wide!: Share
          const trial = new Trial(
            (plan, given) => {
              const x = given(cases, { ring: bits, width: cases.length })
              wide = lift(plan, open(plan, x, { bits, lift: bits + more }), bits + more)
            },
            { seed },
          )
          expect(trial.complaints).toEqual([])
          expect(trial.integers(wide)).toEqual(cases)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('reports a value that is too large, and refuses rings that it cannot fill', () => {
    const trial = new Trial((plan, given) => {
      open(plan, given([4, -5, 3], { ring: 8, width: 3 }), { bits: 4, lift: 8 })
    })
    expect(trial.oracle.violations.map((v) => v.what)).toEqual([
      'a value is too large to be lifted',
      'a value is too large to be lifted',
    ])
    const refused = (bits: number, ring: number) => () =>
      new Trial((plan, given) => {
        const x = given([1], { ring: 8, width: 1 })
        lift(plan, open(plan, x, { bits, lift: 12 }), ring)
      })
    expect(refused(9, 9)).toThrow(RangeError)
    expect(refused(8, 13)).toThrow(RangeError)
  })
})

it('an opening shows the value less the mask, modulo its own ring only', () => {
  const values = all(64).map((v) => v * 1000 - 32000)
  for (const mask of [0n, 1n, 31n, (1n << 20n) - 1n]) {
    let opened!: Opened
    const trial = new Trial(
      (plan, given) => {
        opened = open(plan, given(values, { ring: 24, width: 64 }), { bits: 20 })
      },
      { mask: () => new BigUint64Array(64).fill(mask) },
    )
    expect(trial.complaints).toEqual([])
    expect([...trial.total(opened)]).toEqual(values.map((v) => BigInt.asUintN(20, BigInt(v) - mask)))
  }
})

it('declares four bits of a small opening as four bits', () => {
  const trial = new Trial(
    (plan, given) => {
      open(plan, given([1, 2, 3, -1, -2, -3], { ring: 12, width: 3 }), { bits: 4, lift: 9 })
    },
    { shape: { base: 3, rows: 2, serial: 9 } },
  )
  expect(trial.complaints).toEqual([])
  // Two slots of 6 x 5 bits.
  expect([...trial.dealt.values()].map((b) => b.length)).toEqual([8])
})
