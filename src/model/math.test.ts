import { expect, test } from 'vitest'
import { erf, gelu, geluTanh, linear, silu, softmax, transpose } from './math.ts'

test('linear agrees with the definition, for any remainder of outputs', () => {
  for (const outputs of [1, 4, 7]) {
    const x = Float64Array.from({ length: 2 * 3 }, (_, i) => i - 2.5)
    const w = Float32Array.from({ length: outputs * 3 }, (_, i) => (i % 5) - 2)
    const bias = Float32Array.from({ length: outputs }, (_, i) => i)
    const y = linear(x, w, outputs, bias)
    for (let t = 0; t < 2; t++)
      for (let o = 0; o < outputs; o++) {
        let sum = bias[o]
        for (let i = 0; i < 3; i++) sum += x[t * 3 + i] * w[o * 3 + i]
        expect(y[t * outputs + o]).toBeCloseTo(sum, 12)
      }
  }
})

test('transpose twice is nothing', () => {
  const m = Float32Array.from({ length: 6 }, (_, i) => i)
  expect([...transpose(m, 2, 3)]).toEqual([0, 3, 1, 4, 2, 5])
  expect(transpose(transpose(m, 2, 3), 3, 2)).toEqual(m)
})

test('erf matches published values', () => {
  // Abramowitz and Stegun, table 7.1, and DLMF.
  for (const [x, y] of [
    [0, 0],
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [2.49, 0.999571],
    [3, 0.9999779095030014],
    [4, 0.9999999845827421],
  ]) {
    expect(erf(x)).toBeCloseTo(y, x === 2.49 ? 6 : 13)
    expect(erf(-x)).toBeCloseTo(-y, x === 2.49 ? 6 : 13)
  }
  expect(erf(2.4999999999)).toBeCloseTo(erf(2.5000000001), 11)
})

test('activations at known points', () => {
  expect(silu(0)).toBe(0)
  expect(silu(1)).toBeCloseTo(0.7310585786300049, 14)
  expect(gelu(1)).toBeCloseTo(0.8413447460685429, 13)
  expect(geluTanh(1)).toBeCloseTo(0.8411919906082768, 13)
})

test('softmax stands large numbers', () => {
  const x = Float64Array.of(1000, 1001, 999)
  const lse = 1001 + Math.log(1 + Math.exp(-1) + Math.exp(-2))
  const p = x.slice()
  softmax(p)
  p.forEach((value, i) => {
    expect(value).toBeCloseTo(Math.exp(x[i] - lse), 12)
  })
})
