import { describe, expect, test } from 'vitest'
import { rotaryFrequencies, rotate } from './rope.ts'

const config = { dim: 64, heads: 1, context: 8192, ropeTheta: 500_000 }
const close = (a: number, b: number): void => expect(Math.abs(a / b - 1)).toBeLessThan(1e-12)

test('without scaling the pairs turn by falling powers of the base', () => {
  const f = rotaryFrequencies({ dim: 8, heads: 1, context: 16, ropeTheta: 10_000 })
  const expected = [1, 0.1, 0.01, 0.001]
  expect(f.length).toBe(4)
  for (const [i, v] of f.entries()) close(v, expected[i])
  // The default base, and heads that share the width.
  close(rotaryFrequencies({ dim: 16, heads: 2, context: 16 })[1], 0.1)
})

test('linear scaling is interpolation of positions', () => {
  const plain = rotaryFrequencies(config)
  const scaled = rotaryFrequencies({ ...config, ropeScaling: { kind: 'linear', factor: 4 } })
  // Position 4p of the scaled model stands where p of the plain one does.
  for (const [i, v] of scaled.entries()) close(v * 4 * 37, plain[i] * 37)
})

describe('dynamic NTK', () => {
  const ropeScaling = { kind: 'dynamic', factor: 2, original: 2048 } as const
  const base = { dim: 128, heads: 1, ropeTheta: 10_000 }

  test('is the plain base up to the original length', () => {
    expect([...rotaryFrequencies({ ...base, context: 2048, ropeScaling })]).toEqual([
      ...rotaryFrequencies({ ...base, context: 2048 }),
    ])
  })

  test('beyond it the slowest pair is interpolated in full and the fastest not at all', () => {
    const f = rotaryFrequencies({ ...base, context: 4096, ropeScaling })
    const plain = rotaryFrequencies({ ...base, context: 4096 })
    // (2 * 4096 / 2048 - 1) = 3: the base grows by 3^(128/126), so pair i by 3^(-2i/126), the last by 3 exactly.
    expect(f[0]).toBe(1)
    close(plain[63] / f[63], 3)
    close(plain[21] / f[21], 3 ** (1 / 3))
  })
})

test("Llama 3.1's rule keeps short waves, slows long ones and blends between", () => {
  const ropeScaling = { kind: 'llama3', factor: 8, low: 1, high: 4, original: 8192 } as const
  const plain = rotaryFrequencies({ ...config, context: 131_072 })
  const scaled = rotaryFrequencies({ ...config, context: 131_072, ropeScaling })
  // As the published reference code has it, in wavelengths.
  plain.forEach((f, i) => {
    const wavelength = (2 * Math.PI) / f
    const smooth = (8192 / wavelength - 1) / (4 - 1)
    const expected =
      wavelength > 8192 / 1 ? f / 8 : wavelength < 8192 / 4 ? f : ((1 - smooth) * f) / 8 + smooth * f
    close(scaled[i], expected)
  })
  expect(scaled[0]).toBe(plain[0])
  close(scaled[31], plain[31] / 8)
  // Some pair is blended: 2 pi 500000^(14/32) = 1955 stays, pair 15 has 2946 and lies between 2048 and 8192.
  const wavelength = 2 * Math.PI * 500_000 ** (15 / 32)
  expect(wavelength).toBeGreaterThan(2048)
  expect(scaled[15]).toBeLessThan(plain[15])
  expect(scaled[15]).toBeGreaterThan(plain[15] / 8)
})

test('rotation keeps lengths, and dot products depend on the distance only', () => {
  const c = { dim: 8, heads: 1, context: 32 }
  const at = (position: number, values: number[]) => {
    const x = Float64Array.from(values)
    rotate(x, rotaryFrequencies(c), position, 8)
    return x
  }
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i], 0)
  const q = [1, 2, 3, 4, 5, 6, 7, 8]
  const k = [2, -1, 0, 1, 3, -2, 1, 0]
  expect(dot(at(9, q), at(9, q))).toBeCloseTo(204, 10)
  expect(dot(at(9, q), at(4, k))).toBeCloseTo(dot(at(25, q), at(20, k)), 10)
  // Half-split: components 0 and 4 form the fastest pair.
  expect(at(1, [1, 0, 0, 0, 0, 0, 0, 0])[4]).toBeCloseTo(Math.sin(1), 12)
})
