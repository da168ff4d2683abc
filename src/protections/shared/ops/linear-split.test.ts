import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitSeeds } from '../../../../test/support/protocol/local-keys.ts'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import { biasName } from '../../../../test/support/protocol/weights.ts'
import type { Matrix } from '../../../kernels/kernels.ts'
import { createWasmKernels } from '../../../kernels/wasm/kernels.ts'
import { piecesOf } from '../local/pieces.ts'
import type { PlanBuilder } from '../plan.ts'
import { fraction } from '../scale.ts'
import { count } from '../shape.ts'
import type { Share } from '../values.ts'
import type { HeldWeights } from '../weights/held.ts'
import { addSplitBias } from './composed/add-split-bias.ts'
import { companion, linearSplit } from './linear-split.ts'
import { open } from './open.ts'
import { widenOpening } from './widen-opening.ts'

const K = 5
const N = 4
const WEIGHT = 3
const weight = { name: 'w', index: WEIGHT, n: N, scale: fraction(6), visibility: 'split' as const }

type Make = (plan: PlanBuilder, x: Share, ring: number) => Share
const ways: Record<string, { narrow: boolean; make: Make }> = {
  'opened in the product’s ring': {
    narrow: false,
    make: (plan, x) => linearSplit(plan, open(plan, x, { bits: x.ring }), weight),
  },
  'opened narrowly, then widened': {
    narrow: true,
    make: (plan, x, ring) => {
      const opened = open(plan, x, { bits: x.ring, lift: Math.min(64, ring + 3) })
      return linearSplit(plan, widenOpening(plan, opened, ring), weight)
    },
  },
}

const trialOf = (
  make: Make,
  narrow: boolean,
  c: { bits: number; ring: number; seed: number; rows: number; w: number[]; b: number[]; x: number[] },
): { trial: Trial; y: Share } => {
  let y!: Share
  const trial = new Trial(
    (plan, given) => {
      const share = given(c.x, { ring: narrow ? c.bits : c.ring, width: K, frac: 4 })
      y = addSplitBias(plan, make(plan, share, c.ring), 'w')
    },
    {
      seed: c.seed,
      weights: { w: c.w, [biasName('w')]: c.b },
      shape: { base: 0, rows: c.rows, serial: 40 },
    },
  )
  return { trial, y }
}

describe.each(Object.entries(ways))('a product with a split weight, its input %s', (_, { narrow, make }) => {
  it('is exact modulo its ring, bias included, for any weights and masks', () => {
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
          b: fc.array(fc.integer(), { minLength: N, maxLength: N }),
        }),
        fc.infiniteStream(fc.double({ min: -1, max: 1, maxExcluded: true, noNaN: true })),
        ({ bits, more, ...c }, stream) => {
          const x = Array.from({ length: c.rows * K }, () =>
            Math.trunc((stream.next().value as number) * 2 ** (bits - 2)),
          )
          x[0] = -(2 ** (bits - 2))
          const ring = Math.min(64, bits + more)
          const { trial, y } = trialOf(make, narrow, { ...c, bits, ring, x })
          expect(trial.complaints).toEqual([])
          expect([y.ring, y.scale.bits, y.width]).toEqual([ring, 10, N])
          const want = Array.from({ length: c.rows * N }, (_v, i) => {
            let sum = BigInt(c.b[i % N])
            for (let k = 0; k < K; k++)
              sum += BigInt(x[Math.floor(i / N) * K + k]) * BigInt(c.w[k * N + (i % N)])
            return BigInt.asIntN(ring, sum)
          })
          expect(trial.integers(y)).toEqual(want)
        },
      ),
      { numRuns: 25 },
    )
  })

  it('deals one value a column and sends the input’s bits once each way', () => {
    const [bits, ring, rows] = [12, 40, 3]
    const c = { bits, ring, rows, seed: 1, w: new Array(K * N).fill(3), b: [1, 2, 3, 4] }
    const { trial } = trialOf(make, narrow, { ...c, x: new Array(rows * K).fill(7) })
    const split = trial.plan.steps.find((s) => s.op === 'linearSplit')!
    expect(trial.dealt.get(split.id)?.length).toBe((rows * N * ring) / 8)
    const wires = trial.plan.steps.flatMap((s) => (s.wire?.from === 'both' ? [s.wire] : []))
    const shape = { base: 0, rows, serial: 0 }
    const each = wires.reduce((sum, w) => sum + count(shape, w.layout, w.width) * w.bits, 0)
    expect(each).toBe(rows * K * ring)
  })
})

it('no party’s pieces and nothing of the product’s steps is the weight', () => {
  const w = Array.from({ length: K * N }, (_, i) => 1000 + i)
  const c = { bits: 12, ring: 40, rows: 1, seed: 1, w, b: [0, 0, 0, 0], x: [1, 0, 0, 0, 0] }
  const { trial } = trialOf(ways['opened in the product’s ring'].make, false, c)
  const kernels = createWasmKernels()
  const weights = new Map([['w', kernels.load(Int32Array.from(w), K, N)]])
  const biases = new Map([['w', BigUint64Array.from(c.b, BigInt)]])
  const { owner, server } = piecesOf(kernels, trial.plan, { weights, biases }, splitSeeds())
  const unit = BigUint64Array.of(1n, 0n, 0n, 0n, 0n)
  const row = ({ weights }: HeldWeights, name: string): bigint[] =>
    Array.from(kernels.matmul(unit, 1, weights.get(name) as Matrix, 40), (v) => BigInt.asIntN(40, v))
  for (const got of [row(owner, 'w'), row(server, 'w'), row(server, companion('w'))])
    for (const v of got) expect(v > 2n ** 24n || v < -(2n ** 24n)).toBe(true)
  const [own, other] = [row(owner, 'w'), row(server, 'w')]
  expect(own.map((v, i) => BigInt.asIntN(40, v + other[i]))).toEqual([1000n, 1001n, 1002n, 1003n])
})

it('refuses an input that is not opened in the product’s ring, and a ring that was not dealt', () => {
  const build = (make: Make) => () =>
    new Trial(
      (plan, given) => {
        make(plan, given([1, 2, 3, 4, 5], { ring: 10, width: K }), 30)
      },
      { weights: { w: new Array(K * N).fill(1) } },
    )
  expect(build((plan, x) => linearSplit(plan, open(plan, x, { bits: 10, lift: 30 }), weight))).toThrow(
    'not opened in Z_2^10',
  )
  expect(
    build((plan, x) =>
      linearSplit(plan, widenOpening(plan, open(plan, x, { bits: 10, lift: 20 }), 30), weight),
    ),
  ).toThrow('Z_2^20')
})
