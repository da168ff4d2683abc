import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import { widened } from '../../../kernels/lanes.ts'
import type { PlanBuilder } from '../plan.ts'
import { fraction } from '../scale.ts'
import type { Share } from '../values.ts'
import { lift } from './lift.ts'
import { linearPrivate } from './linear-private.ts'
import { linearPublic } from './linear-public.ts'
import { open } from './open.ts'
import { openLiftedToServer } from './open-lifted-to-server.ts'
import { openToServer } from './open-to-server.ts'

const K = 5
const N = 4
const WEIGHT = 3

type Make = (plan: PlanBuilder, x: Share, ring: number) => Share
const weight = (visibility: 'public' | 'private') => ({
  name: 'w',
  index: WEIGHT,
  n: N,
  scale: fraction(6),
  visibility,
})

/** Ways from a share in a narrow ring to its product in a wide one; `narrow` ones open and lift it first. */
const ways: Record<string, { narrow: boolean; make: Make }> = {
  'public, on a share': { narrow: false, make: (plan, x) => linearPublic(plan, x, weight('public')) },
  'private, opened to the server': {
    narrow: false,
    make: (plan, x) => linearPrivate(plan, openToServer(plan, x, WEIGHT), weight('private')),
  },
  'public, lifted': {
    narrow: true,
    make: (plan, x, ring) => {
      const opened = open(plan, x, { bits: x.ring, lift: ring })
      return linearPublic(plan, lift(plan, opened, ring), weight('public'))
    },
  },
  'private, lifted and opened to the server': {
    narrow: true,
    make: (plan, x, ring) => {
      const opened = open(plan, x, { bits: x.ring, lift: ring, weight: WEIGHT })
      return linearPrivate(plan, openLiftedToServer(plan, opened, ring), weight('private'))
    },
  },
}

describe.each(Object.entries(ways))('a product with a weight that is %s', (_, { narrow, make }) => {
  it('is exact modulo its ring, for any weights and masks', () => {
    fc.assert(
      fc.property(
        fc.record({
          bits: fc.integer({ min: 8, max: 24 }),
          more: fc.integer({ min: 1, max: 40 }),
          seed: fc.integer({ min: 0, max: 255 }),
          rows: fc.integer({ min: 1, max: 3 }),
          w: fc.array(
            fc.oneof(
              fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
              fc.constantFrom(-(2 ** 31), 2 ** 31 - 1),
            ),
            { minLength: K * N, maxLength: K * N },
          ),
        }),
        fc.infiniteStream(fc.double({ min: -1, max: 1, maxExcluded: true, noNaN: true })),
        ({ bits, more, seed, rows, w }, stream) => {
          const x = Array.from({ length: rows * K }, () =>
            Math.trunc((stream.next().value as number) * 2 ** (bits - 2)),
          )
          x[0] = -(2 ** (bits - 2))
          const ring = Math.min(64, bits + more)
          let y!: Share
          const trial = new Trial(
            (plan, given) => {
              const share = given(x, { ring: narrow ? bits : ring, width: K, frac: 4 })
              y = make(plan, share, ring)
            },
            { seed, weights: { w }, shape: { base: 0, rows, serial: 40 } },
          )
          expect(trial.complaints).toEqual([])
          expect([y.ring, y.scale.bits, y.width]).toEqual([ring, 10, N])
          const want = Array.from({ length: rows * N }, (_v, i) => {
            let sum = 0n
            for (let k = 0; k < K; k++)
              sum += BigInt(x[Math.floor(i / N) * K + k]) * BigInt(w[k * N + (i % N)])
            return BigInt.asIntN(ring, sum)
          })
          expect(trial.integers(y)).toEqual(want)
        },
      ),
      { numRuns: 25 },
    )
  })
})

it('what the server holds of a masked value is the value less the owner’s mask', () => {
  for (const lifted of [false, true]) {
    const x = [5, -7, 100, 0, -128]
    const trial = new Trial(
      (plan, given) => {
        const share = given(x, { ring: lifted ? 10 : 30, width: K })
        const e = lifted
          ? openLiftedToServer(plan, open(plan, share, { bits: 10, lift: 30, weight: WEIGHT }), 30)
          : openToServer(plan, share, WEIGHT)
        linearPrivate(plan, e, weight('private'))
      },
      { weights: { w: new Array(K * N).fill(1) } },
    )
    const masked = trial.plan.steps.map(({ out }) => out).find((out) => out.kind === 'masked')!
    const mask = trial.owner.mask(masked)
    const held = widened(trial.server.get(masked))
    expect([...held].map((v, i) => BigInt.asIntN(30, v + mask[i]))).toEqual(x.map(BigInt))
    expect(trial.complaints).toEqual([])
  }
})
