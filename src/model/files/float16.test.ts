import { expect, test } from 'vitest'
import { fromBfloat, fromHalf, toBfloat, toHalf } from './float16.ts'

test('every finite half survives the round trip', () => {
  for (let half = 0; half < 0x10000; half++) {
    const value = fromHalf(half)
    if (Number.isNaN(value)) expect(fromHalf(toHalf(value))).toBeNaN()
    else if (toHalf(value) !== half) expect([half, toHalf(value)]).toEqual([half, half])
  }
})

test('rounds to nearest, ties to even', () => {
  const step = 2 ** -10
  expect(fromHalf(toHalf(1 + step / 2))).toBe(1)
  expect(fromHalf(toHalf(1 + 1.5 * step))).toBe(1 + 2 * step)
  expect(fromHalf(toHalf(1 + 0.51 * step))).toBe(1 + step)
  expect(fromHalf(toHalf(65519))).toBe(65504)
  expect(fromHalf(toHalf(65520))).toBe(Number.POSITIVE_INFINITY)
  expect(fromHalf(toHalf(2 ** -25))).toBe(0)
  expect(fromHalf(toHalf(1.01 * 2 ** -25))).toBe(2 ** -24)
  expect(Object.is(fromHalf(toHalf(-0)), -0)).toBe(true)
})

test('bfloat16 is the upper half of a float', () => {
  expect(fromBfloat(0x3f80)).toBe(1)
  expect(fromBfloat(0xc049)).toBeCloseTo(-Math.PI, 2)
})

test('to bfloat16 rounds to nearest, ties to even', () => {
  for (const half of [0x3f80, 0xc049, 0x0001, 0x7f80, 0x8000]) expect(toBfloat(fromBfloat(half))).toBe(half)
  const step = 2 ** -7
  expect(fromBfloat(toBfloat(1 + step / 2))).toBe(1)
  expect(fromBfloat(toBfloat(1 + 1.5 * step))).toBe(1 + 2 * step)
  expect(fromBfloat(toBfloat(Number.NaN))).toBeNaN()
})
