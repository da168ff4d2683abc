import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import { fraction } from '../scale.ts'
import type { Share } from '../values.ts'
import { open } from './open.ts'
import { product } from './product.ts'

const bounded = (bits: number): fc.Arbitrary<number> => {
  const limit = 2 ** (bits - 2)
  return fc.oneof(fc.integer({ min: -limit, max: limit - 1 }), fc.constantFrom(-limit, limit - 1, 0, -1))
}

describe('a product of opened values', () => {
  it('of two lifted factors is exact for every pair of values and many masks of small rings', () => {
    const values: [number, number][] = []
    for (let x = -4; x < 4; x++) for (let y = -4; y < 4; y++) values.push([x, y])
    for (let seed = 0; seed < 24; seed++) {
      let out!: Share
      const trial = new Trial(
        (plan, given) => {
          const type = { ring: 4, width: values.length }
          const x = open(
            plan,
            given(
              values.map((v) => v[0]),
              type,
            ),
            { bits: 4, lift: 9 },
          )
          const y = open(
            plan,
            given(
              values.map((v) => v[1]),
              type,
            ),
            { bits: 4, lift: 9 },
          )
          out = product(plan, [[{ value: x }, { value: y }]], {
            width: values.length,
            ring: 9,
            scale: fraction(0),
          })
        },
        { seed },
      )
      expect(trial.complaints).toEqual([])
      expect(trial.integers(out)).toEqual(values.map(([x, y]) => BigInt(x * y)))
    }
  })

  it('plus one of three factors, with shared columns, is exact in wide rings', () => {
    fc.assert(
      fc.property(
        fc.record({
          a: fc.integer({ min: 4, max: 20 }),
          b: fc.integer({ min: 4, max: 18 }),
          room: fc.integer({ min: 0, max: 20 }),
          seed: fc.integer({ min: 0, max: 255 }),
        }),
        fc.infiniteStream(fc.double({ min: -1, max: 1, maxExcluded: true, noNaN: true })),
        ({ a, b, room, seed }, stream) => {
          const ring = Math.min(64, a + b + room)
          const draw = (bits: number, n: number): number[] =>
            Array.from({ length: n }, () => Math.trunc((stream.next().value as number) * 2 ** (bits - 2)))
          const [x, r] = [draw(a, 8), draw(b, 6)]
          let out!: Share
          const trial = new Trial(
            (plan, given) => {
              const X = open(plan, given(x, { ring: a, width: 4 }), { bits: a, lift: ring })
              const R = open(plan, given(r, { ring: b, width: 3 }), { bits: b, lift: ring })
              const part = (from: number) => ({ value: R, from, repeat: 4 })
              out = product(
                plan,
                [
                  [{ value: X }, part(0)],
                  [{ value: X }, part(1), part(2)],
                ],
                { width: 4, ring, scale: fraction(0) },
              )
            },
            { seed, shape: { base: 1, rows: 2, serial: 3 } },
          )
          expect(trial.complaints).toEqual([])
          const at = (i: number): bigint => {
            const f = r.slice(3 * Math.floor(i / 4)).map(BigInt)
            return BigInt.asIntN(ring, BigInt(x[i]) * (f[0] + f[1] * f[2]))
          }
          expect(trial.integers(out)).toEqual(x.map((_, i) => at(i)))
        },
      ),
      { numRuns: 40 },
    )
  })

  it('mixes a factor opened in the product’s own ring with a lifted one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.bigInt(0n, (1n << 40n) - 1n), bounded(12)), { minLength: 3, maxLength: 3 }),
        (pairs) => {
          let out!: Share
          const trial = new Trial((plan, given) => {
            const x = open(
              plan,
              given(
                pairs.map((p) => p[0]),
                { ring: 40, width: 3 },
              ),
              { bits: 40 },
            )
            const y = open(
              plan,
              given(
                pairs.map((p) => p[1]),
                { ring: 12, width: 3 },
              ),
              { bits: 12, lift: 40 },
            )
            out = product(plan, [[{ value: x }, { value: y }]], { width: 3, ring: 40, scale: fraction(0) })
          })
          expect(trial.complaints).toEqual([])
          expect(trial.integers(out)).toEqual(pairs.map(([x, y]) => BigInt.asIntN(40, x * BigInt(y))))
        },
      ),
      { numRuns: 30 },
    )
  })

  it('refuses a factor that does not reach its ring', () => {
    expect(
      () =>
        new Trial((plan, given) => {
          const x = open(plan, given([1], { ring: 8, width: 1 }), { bits: 8, lift: 12 })
          product(plan, [[{ value: x }, { value: x }]], { width: 1, ring: 13, scale: fraction(0) })
        }),
    ).toThrow(RangeError)
  })
})
