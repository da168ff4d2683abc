import { expect, test } from 'vitest'
import { layerNorm, rmsNorm } from './norm.ts'

test('rmsNorm divides by the root mean square', () => {
  const y = rmsNorm(Float64Array.of(3, 4), Float32Array.of(1, 2), 0)
  expect([...y]).toEqual([3 / Math.sqrt(12.5), 8 / Math.sqrt(12.5)])
})

test('layerNorm takes the mean off and divides by the standard deviation', () => {
  const y = layerNorm(Float64Array.of(1, 5), Float32Array.of(1, 2), Float32Array.of(0, 3), 0)
  expect([...y]).toEqual([-1, 5])
})
