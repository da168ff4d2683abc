import { expect, it } from 'vitest'
import { counterSource } from '../../test/support/random-source.ts'
import { addGaussian } from './noise.ts'
import { privatize } from './privatize.ts'

it('adds noise of sigma times clip to the sum, then divides by the expected batch', () => {
  const sum = new Map([
    ['a', Float32Array.of(1, 2, 3)],
    ['b', Float32Array.of(-4)],
  ])
  const source = counterSource(1)
  const expected = [...sum.values()].map((values) => {
    const noisy = Float64Array.from(values)
    addGaussian(noisy, 0.8 * 2, source)
    return Float32Array.from(noisy, (x) => x / 16)
  })
  privatize(sum, { clip: 2, sigma: 0.8, expectedBatch: 16, source: counterSource(1) })
  expect([...sum.values()]).toEqual(expected)
})

it('draws from the cryptographic source by default: mean and variance', () => {
  const n = 100_000
  const sum = new Map([['w', new Float32Array(n).fill(5)]])
  privatize(sum, { clip: 3, sigma: 2, expectedBatch: 10 })
  const values = sum.get('w')!
  const mean = values.reduce((total, x) => total + x, 0) / n
  const variance = values.reduce((total, x) => total + (x - 0.5) ** 2, 0) / n
  expect((Math.abs(mean - 0.5) / 0.6) * Math.sqrt(n)).toBeLessThan(6.7)
  expect(Math.abs(variance / 0.36 - 1) * Math.sqrt(n / 2)).toBeLessThan(6.7)
})

it('releases an empty batch as pure noise, and nothing that would not be private', () => {
  const good = { clip: 1, sigma: 1, expectedBatch: 4 }
  const zero = () => new Map([['w', new Float32Array(8)]])
  const empty = zero()
  privatize(empty, good)
  expect(empty.get('w')!.every((x) => x !== 0)).toBe(true)
  for (const bad of [{ clip: 0 }, { sigma: 0 }, { sigma: Number.NaN }, { expectedBatch: 0 }])
    expect(() => privatize(zero(), { ...good, ...bad })).toThrow(RangeError)
  expect(() => privatize(new Map([['w', Float32Array.of(Number.NaN)]]), good)).toThrow(/not finite/)
})
