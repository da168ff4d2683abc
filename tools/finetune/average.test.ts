import { expect, it } from 'vitest'
import { WeightAverage } from './average.ts'

const weights = (value: number) => new Map([['w', { shape: [1], data: Float32Array.of(value) }]])

it('of equal weights is those weights from the first step on', () => {
  const average = new WeightAverage(weights(0), 10)
  for (let i = 0; i < 3; i++) {
    average.add(weights(7))
    expect(average.values(weights(7)).get('w')![0]).toBeCloseTo(7, 5)
  }
})

it('weighs steps by an exponential of the horizon, or takes the last', () => {
  const average = new WeightAverage(weights(0), 4)
  for (const value of [1, 2, 3]) average.add(weights(value))
  const [a, b, c] = [0.75 ** 2, 0.75, 1]
  expect(average.values(weights(3)).get('w')![0]).toBeCloseTo((a + 2 * b + 3 * c) / (a + b + c), 5)
  const last = new WeightAverage(weights(0), 0)
  for (const value of [1, 2]) last.add(weights(value))
  expect(last.values(weights(2)).get('w')![0]).toBe(2)
})
