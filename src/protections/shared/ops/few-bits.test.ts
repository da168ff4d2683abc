/** The small steps between rings: up, down, into a weight's product, and to a last row. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import { UNSCALED } from '../scale.ts'
import type { Share } from '../values.ts'
import { distanceBias } from './distance-bias.ts'
import { given as givenInput } from './given.ts'
import { known } from './known.ts'
import { lastRow } from './last-row.ts'
import { linearPrivate } from './linear-private.ts'
import { linearSplit } from './linear-split.ts'
import { narrow } from './narrow.ts'
import { narrowOpening } from './narrow-opening.ts'
import { open } from './open.ts'
import { openToServer } from './open-to-server.ts'
import { shiftUp } from './shift-up.ts'

const rows = 3
const shape = { base: 0, rows, serial: 5 }
const numbers = (n: number, limit: number) =>
  fc.array(fc.integer({ min: -limit, max: limit - 1 }), { minLength: n, maxLength: n })

describe('rings', () => {
  it('grow with a shift, and lose nothing', () => {
    fc.assert(
      fc.property(numbers(4, 2 ** 11), fc.integer({ min: 0, max: 52 }), fc.nat(255), (values, s, seed) => {
        let y!: Share
        const trial = new Trial(
          (plan, given) => {
            y = shiftUp(plan, given(values, { ring: 12, width: 4 }), s)
          },
          { seed },
        )
        expect(trial.complaints).toEqual([])
        expect(trial.integers(y)).toEqual(values.map((v) => BigInt(v) << BigInt(s)))
        expect(y).toMatchObject({ ring: 12 + s, scale: { bits: s } })
      }),
    )
    expect(() => new Trial((plan, given) => shiftUp(plan, given([1], { ring: 12, width: 1 }), 53))).toThrow(
      RangeError,
    )
  })

  it('shrink where values fit, and say so where they do not', () => {
    const make = (value: number, range?: 'unsigned' | 'modular') => {
      let y!: Share
      const trial = new Trial((plan, given) => {
        y = narrow(plan, given([value], { ring: 20, width: 1 }), 8, range)
      })
      return [trial.complaints, [...trial.total(y)]]
    }
    const lost = ['narrow: a value does not fit the narrower ring']
    expect(make(-128)).toEqual([[], [128n]])
    expect(make(128)).toEqual([lost, [128n]])
    expect(make(255, 'unsigned')).toEqual([[], [255n]])
    expect(make(256, 'unsigned')).toEqual([lost, [0n]])
    expect(make(256, 'modular')).toEqual([[], [0n]])
    expect(() => new Trial((plan, given) => narrow(plan, given([1], { ring: 8, width: 1 }), 9))).toThrow(
      RangeError,
    )
  })
})

describe('two private products of one blinded value', () => {
  const [n, m] = [4, 3]
  const weight = (
    name: string,
    index: number,
    columns: number,
    visibility: 'private' | 'split' = 'private',
  ) => ({
    ...{ name, index, n: columns, visibility },
    scale: UNSCALED,
  })
  const times = (x: number[], w: number[], columns: number, ring: number): bigint[] =>
    Array.from({ length: rows * columns }, (_, i) => {
      const [r, j] = [Math.floor(i / columns), i % columns]
      let sum = 0
      for (let k = 0; k < n; k++) sum += x[r * n + k] * w[k * columns + j]
      return BigInt.asUintN(ring, BigInt(sum))
    })
  const drawn = fc.record({
    x: numbers(rows * n, 2 ** 9),
    v: numbers(n * m, 64),
    w: numbers(n * 2, 64),
    narrower: fc.integer({ min: 6, max: 18 }),
    seed: fc.nat(255),
  })

  it.each(['from a share', 'from an opening', 'split', 'split, from an opening'])(
    '%s are exact, each in its ring',
    (way) => {
      const visibility = way.startsWith('split') ? 'split' : 'private'
      fc.assert(
        fc.property(drawn, ({ x, v, w, narrower, seed }) => {
          const out: Share[] = []
          const trial = new Trial(
            (plan, given) => {
              const share = given(x, { ring: 20, width: n })
              const opened = (weightOf?: number) =>
                open(plan, share, { bits: 18, lift: 22, weight: weightOf })
              const products = [weight('v', 3, m, visibility), weight('w', 7, 2, visibility)]
              if (visibility === 'split') {
                const e =
                  way === 'split' ? open(plan, share, { bits: 18 }) : narrowOpening(plan, opened(), 18)
                products.forEach((p, i) => void out.push(linearSplit(plan, e, p, i === 0 ? 18 : narrower)))
              } else {
                const e =
                  way === 'from a share' ? openToServer(plan, share, 3, 18) : known(plan, opened(3), 18)
                products.forEach((p, i) => void out.push(linearPrivate(plan, e, p, i === 0 ? 18 : narrower)))
              }
            },
            { shape, seed, weights: { v, w } },
          )
          expect(trial.complaints).toEqual([])
          expect([...trial.total(out[0])]).toEqual(times(x, v, m, 18))
          expect([...trial.total(out[1])]).toEqual(times(x, w, 2, narrower))
        }),
        { numRuns: 60 },
      )
    },
  )

  it('of the last row alone are that row’s', () => {
    const x = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    const w = [1, -1, 1, 1, -1, 1, -1, -1]
    let y!: Share
    const trial = new Trial(
      (plan, given) => {
        const e = openToServer(plan, given(x, { ring: 12, width: n }), 7)
        y = linearPrivate(plan, lastRow(plan, e), weight('w', 7, 2))
      },
      { shape, weights: { w } },
    )
    expect(trial.complaints).toEqual([])
    expect([...trial.total(y)]).toEqual(times(x, w, 2, 12).slice(-2))
  })

  it('are refused in a wider ring, and of an opening that no weight’s mask hides', () => {
    const make = (build: Parameters<typeof refused>[0]) => () => refused(build)
    const refused = (build: ConstructorParameters<typeof Trial>[0]) =>
      new Trial(build, { shape, weights: { w: [1, 1, 1, 1, 1, 1, 1, 1] } })
    const x = Array(rows * n).fill(1)
    const type = { ring: 20, width: n }
    for (const bad of [
      make(
        (plan, given) =>
          void linearPrivate(plan, openToServer(plan, given(x, type), 7, 12), weight('w', 7, 2), 13),
      ),
      make(
        (plan, given) =>
          void linearSplit(plan, open(plan, given(x, type), { bits: 12 }), weight('w', 7, 2, 'split'), 13),
      ),
      make((plan, given) => void known(plan, open(plan, given(x, type), { bits: 12 }), 12)),
      make((plan, given) => void known(plan, open(plan, given(x, type), { bits: 12, weight: 7 }), 13)),
      make((plan, given) => void narrowOpening(plan, open(plan, given(x, type), { bits: 12 }), 13)),
      make((plan, given) => void openToServer(plan, given(x, type), 7, 21)),
      make((plan, given) => void lastRow(plan, open(plan, given(x, type), { bits: 12, lift: 14 }))),
    ])
      expect(bad).toThrow(RangeError)
  })
})

describe('positions', () => {
  it('take off what their distance says, head by head', () => {
    const own = { base: 1, rows: 2, serial: 0 }
    const values = [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]
    let y!: Share
    const trial = new Trial(
      (plan, given) => {
        const x = given(values, { ring: 16, width: 2, layout: 'pair' })
        y = distanceBias(plan, x, (distance, head) => BigInt(distance * (10 + head)))
      },
      { shape: own },
    )
    expect(trial.complaints).toEqual([])
    const distances = [1, 1, 0, 0, 2, 2, 1, 1, 0, 0]
    expect(trial.integers(y)).toEqual(values.map((v, i) => BigInt(v - distances[i] * (10 + (i % 2)))))
  })
})

it('what the owner gives is its own: the server has zeros', () => {
  let x!: Share
  const trial = new Trial(
    (plan) => {
      x = givenInput(plan, { ring: 9, width: 2, scale: UNSCALED })
      open(plan, x, { bits: 9 })
    },
    { input: [5, 511] },
  )
  expect(trial.complaints).toEqual([])
  expect([...trial.owner.get(x)]).toEqual([5n, 511n])
  expect([...trial.server.get(x)]).toEqual([0n, 0n])
})
