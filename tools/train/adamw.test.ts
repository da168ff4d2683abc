import { expect, test } from 'vitest'
import type { Tensors } from '../../src/model/architectures/config.ts'
import { AdamW, adamWDefaults, learningRate } from './adamw.ts'

const make = (shape: number[], values: number[]): Tensors =>
  new Map([['w', { shape, data: Float32Array.from(values) }]])

test('three updates agree with the published formula', () => {
  const { beta1, beta2, eps, weightDecay } = adamWDefaults
  const weights = make([1, 2], [0.5, -0.25])
  const optimizer = new AdamW(weights)
  const w = [0.5, -0.25]
  const m = [0, 0]
  const v = [0, 0]
  const gradients = [
    [0.3, -0.1],
    [-0.2, 0.4],
    [0.05, 0.5],
  ]
  gradients.forEach((g, step) => {
    const t = step + 1
    optimizer.update(new Map([['w', Float32Array.from(g)]]), 0.01)
    for (const i of [0, 1]) {
      m[i] = beta1 * m[i] + (1 - beta1) * g[i]
      v[i] = beta2 * v[i] + (1 - beta2) * g[i] ** 2
      const mHat = m[i] / (1 - beta1 ** t)
      const vHat = v[i] / (1 - beta2 ** t)
      w[i] = w[i] - 0.01 * (mHat / (Math.sqrt(vHat) + eps) + weightDecay * w[i])
      expect(weights.get('w')!.data[i]).toBeCloseTo(w[i], 6)
    }
  })
  expect(optimizer.steps).toBe(3)
})

test('gains are not decayed', () => {
  const weights = make([2], [1, 1])
  new AdamW(weights).update(new Map([['w', new Float32Array(2)]]), 0.1)
  expect([...weights.get('w')!.data]).toEqual([1, 1])
})

test('large gradients are scaled to the clip norm, and divergence is named', () => {
  const optimizer = new AdamW(make([1, 2], [0, 0]))
  expect(optimizer.update(new Map([['w', Float32Array.of(30, 40)]]), 0.1)).toBeCloseTo(50, 5)
  expect(optimizer.m.get('w')![0]).toBeCloseTo(0.06, 6)
  expect(() => optimizer.update(new Map([['w', Float32Array.of(Number.NaN, 0)]]), 0.1)).toThrow('diverged')
})

test('the schedule warms up, peaks, and falls to a twentieth', () => {
  expect(learningRate(0, 1)).toBeLessThan(0.01)
  expect(learningRate(0.015, 1)).toBeCloseTo(0.5, 10)
  expect(learningRate(0.03, 1)).toBe(1)
  expect(learningRate(0.515, 1)).toBeCloseTo(0.525, 10)
  expect(learningRate(1, 1)).toBeCloseTo(0.05, 10)
  expect(learningRate(2, 1)).toBeCloseTo(0.05, 10)
})
