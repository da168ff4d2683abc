import { describe, expect, it } from 'vitest'
import { Trial, trialCaches } from '../../../../test/support/protocol/plans.ts'
import { type Shape, span } from '../shape.ts'
import type { Share } from '../values.ts'
import { mix } from './mix.ts'
import { open } from './open.ts'
import type { Heads } from './parts/contraction.ts'
import { scores } from './scores.ts'

const h: Heads = { heads: 4, kvHeads: 2, headDim: 3 }
const RING = 30
const kv = h.kvHeads * h.headDim
const dim = h.heads * h.headDim

/** Passes of 3, 1 and 2 rows, that one after going back to position 2, and of many rows, then of rows that see all. */
const passes: Shape[] = [
  { base: 0, rows: 3, serial: 0 },
  { base: 3, rows: 1, serial: 7 },
  { base: 2, rows: 2, serial: 8 },
  { base: 3, rows: 9, serial: 20 },
  { base: 0, rows: 2, serial: 40, seen: 2 },
  { base: 0, rows: 10, serial: 50, seen: 10 },
]

const number = (i: number, seed: number): number => (((i + 1) * 2654435761 + seed * 40503) % 4001) - 2000

describe.each([
  ['ordinary values', number],
  ['extreme values', (i: number) => (i % 2 === 0 ? 2 ** 12 - 1 : -(2 ** 12))],
])('attention on %s', (_, make) => {
  it('multiplies queries with all cached keys, the newest of every position', () => {
    const caches = trialCaches()
    const keys: number[] = []
    for (const [n, shape] of passes.entries()) {
      const q = Array.from({ length: shape.rows * dim }, (_v, i) => make(i, 3 * n))
      const k = Array.from({ length: shape.rows * kv }, (_v, i) => make(i, 3 * n + 1))
      keys.splice(shape.base * kv, Infinity, ...k)
      let y!: Share
      const trial = new Trial(
        (plan, given) => {
          const Q = open(plan, given(q, { ring: RING, width: dim }), { bits: RING })
          const K = open(plan, given(k, { ring: RING, width: kv }), { bits: RING, cache: 'k' })
          y = scores(plan, Q, K, 'k', h, [-(2 ** 29), 2 ** 29])
        },
        { shape, caches },
      )
      expect(trial.complaints).toEqual([])
      const want: bigint[] = []
      for (let r = 0; r < shape.rows; r++)
        for (let j = 0; j < span(shape, r); j++)
          for (let head = 0; head < h.heads; head++) {
            let sum = 0
            for (let c = 0; c < h.headDim; c++)
              sum += q[r * dim + head * h.headDim + c] * keys[j * kv + (head >> 1) * h.headDim + c]
            want.push(BigInt.asIntN(RING, BigInt(sum)))
          }
      expect(trial.integers(y)).toEqual(want)
    }
  })

  it('mixes all cached values by the weights of the row', () => {
    const caches = trialCaches()
    const values: number[] = []
    for (const [n, shape] of passes.entries()) {
      const spans = Array.from({ length: shape.rows }, (_v, r) => span(shape, r))
      const p = spans.flatMap((s, r) =>
        Array.from({ length: s * h.heads }, (_v, i) => Math.abs(make(i + 50 * r, n))),
      )
      const v = Array.from({ length: shape.rows * kv }, (_v, i) => make(i, 3 * n + 2))
      values.splice(shape.base * kv, Infinity, ...v)
      let y!: Share
      const trial = new Trial(
        (plan, given) => {
          const P = open(plan, given(p, { ring: RING, width: h.heads, layout: 'pair' }), { bits: RING })
          const V = open(plan, given(v, { ring: RING, width: kv }), { bits: RING, cache: 'v' })
          y = mix(plan, P, V, 'v', h)
        },
        { shape, caches },
      )
      expect(trial.complaints).toEqual([])
      let from = 0
      const want = spans.flatMap((s) => {
        const row = Array.from({ length: dim }, (_v, c) => {
          const head = Math.floor(c / h.headDim)
          let sum = 0
          for (let j = 0; j < s; j++)
            sum += p[from + j * h.heads + head] * values[j * kv + (head >> 1) * h.headDim + (c % h.headDim)]
          return BigInt.asIntN(RING, BigInt(sum))
        })
        from += s * h.heads
        return row
      })
      expect(trial.integers(y)).toEqual(want)
    }
  })
})

it('reports a logit outside the calibrated range, less what it loses over the distance', () => {
  const run = (range: [number, number], fall?: (distance: number) => number): number =>
    new Trial(
      (plan, given) => {
        const Q = open(plan, given([4, 4, 4, 4], { ring: 10, width: 2, frac: 1 }), { bits: 10 })
        const K = open(plan, given([4, 4, 4, 4], { ring: 10, width: 2, frac: 1 }), { bits: 10, cache: 'k' })
        scores(plan, Q, K, 'k', { heads: 1, kvHeads: 1, headDim: 2 }, range, fall)
      },
      { shape: { base: 0, rows: 2, serial: 0 } },
    ).oracle.violations.length
  expect(run([-8, 8.5])).toBe(0)
  expect(run([-8, 8])).toBe(1)
  expect(run([8.5, 16])).toBe(1)
  const fall = (distance: number): number => 1 + distance
  expect(run([-8, 7.5], fall)).toBe(0)
  expect(run([6.5, 8], fall)).toBe(1)
})
