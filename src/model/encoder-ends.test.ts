import { describe, expect, it } from 'vitest'
import type { ModelConfig } from './architectures/config.ts'
import { EncoderEnds } from './encoder-ends.ts'
import { randomModel } from './random.ts'

const config: ModelConfig = {
  ...{ arch: 'roberta', vocab: 20, dim: 8, layers: 1, heads: 2, kvHeads: 2, ff: 8, eps: 1e-6, context: 40 },
  ...{ activation: 'gelu', tied: true, types: 2, positionOffset: 2 },
  head: { kind: 'classify', labels: ['no', 'yes'] },
}
const tensors = randomModel(config, 3)
const ends = new EncoderEnds(config, tensors)
const textOf = (n: number) => ({
  ids: Array.from({ length: n }, (_, i) => (7 * i + 3) % 20),
  types: Array.from({ length: n }, (_, i) => i % 2),
})
const rowOf = (rows: Float64Array, r: number, width = config.dim) => [
  ...rows.subarray(r * width, (r + 1) * width),
]

describe.each([1, 2, 15, 16, 17, 40])('a text of %i tokens', (n) => {
  const bucket = n <= 16 ? 16 : n <= 32 ? 32 : 40
  const { rows, padding } = ends.input(textOf(n))

  it('fills its bucket: second token to last, copies of the first, the first', () => {
    const all = ends.input(textOf(40)).rows
    // Of the longest text, all 40 rows are there: token t stands at t - 1, the first at the end.
    const token = (t: number) => rowOf(all, t === 0 ? 39 : t - 1)
    expect(rows).toHaveLength(bucket * config.dim)
    for (let r = 0; r < bucket; r++) expect(rowOf(rows, r)).toEqual(token(r < n - 1 ? r + 1 : 0))
    expect([...padding]).toEqual(Array.from({ length: bucket }, (_, r) => +(r >= n - 1 && r < bucket - 1)))
  })

  it('stands as ones for token, position and type where the tables are private', () => {
    const inputWidth = config.vocab + config.context + 2 + 2
    const isPrivate = (end: string) => end === 'embed'
    const hot = new EncoderEnds(config, tensors, { isPrivate, inputWidth }).input(textOf(n))
    expect(hot.padding).toEqual(padding)
    const { ids, types } = textOf(n)
    for (let r = 0; r < bucket; r++) {
      const t = r < n - 1 ? r + 1 : 0
      const ones = rowOf(hot.rows, r, inputWidth).flatMap((v, at) => (v === 0 ? [] : [at]))
      expect(ones).toEqual([ids[t], 20 + 2 + t, 20 + 2 + 40 + types[t]])
    }
  })
})

it('reads as much for a short text as for any other of its bucket', () => {
  let reads = 0
  const watched = new Map(
    [...tensors].map(([name, { shape, data }]) => {
      const get = (target: Float32Array, at: string | symbol): unknown => {
        reads++
        return Reflect.get(target, at, target)
      }
      return [name, { shape, data: new Proxy(data, { get }) }]
    }),
  )
  const counted = new EncoderEnds(config, watched)
  const readsOf = (n: number): number => {
    reads = 0
    counted.input(textOf(n))
    return reads
  }
  const most = readsOf(16)
  expect(most).toBeGreaterThanOrEqual(3 * 16 * config.dim)
  expect([1, 2, 9].map(readsOf)).toEqual([most, most, most])
})
