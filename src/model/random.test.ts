import { expect, test } from 'vitest'
import { parameterCount } from '../../test/support/parameter-count.ts'
import { floatModel } from './graph/decoder-model.ts'
import { benchConfigs, PredictableRandom, randomModel } from './random.ts'

test('the same seed gives the same stream, another seed another', () => {
  const draw = (seed: number) => {
    const random = new PredictableRandom(seed)
    return Array.from({ length: 5 }, () => random.next())
  }
  expect(draw(1)).toEqual(draw(1))
  expect(draw(1)).not.toEqual(draw(2))
})

test('normals have mean 0 and variance 1; integers stay in range', () => {
  const random = new PredictableRandom(3)
  const n = 50_000
  let sum = 0
  let squares = 0
  for (let i = 0; i < n; i++) {
    const x = random.normal()
    sum += x
    squares += x * x
  }
  expect(Math.abs(sum / n)).toBeLessThan(0.02)
  expect(Math.abs(squares / n - 1)).toBeLessThan(0.03)
  for (let i = 0; i < 1000; i++) expect([0, 1, 2]).toContain(random.below(3))
})

test('bench shapes have the sizes they are named for', () => {
  expect(parameterCount(benchConfigs.gpt2)).toBe(124_439_808)
  expect(Math.round(parameterCount(benchConfigs['15m']) / 1e5)).toBe(152)
})

test.each(['gpt2', '15m'] as const)('%s: attention logits of random weights spread realistically', (name) => {
  const config = { ...benchConfigs[name], vocab: 64, layers: 2, context: 16 }
  const logits: number[] = []
  const model = floatModel(config, randomModel(config, 1), (what, _, values) => {
    if (what === 'attention-logits') logits.push(...values)
  })
  model.forward(Array.from({ length: 16 }, (_, i) => i))
  const std = Math.sqrt(logits.reduce((sum, x) => sum + x * x, 0) / logits.length)
  expect(std).toBeGreaterThan(2)
  expect(std).toBeLessThan(3)
})
