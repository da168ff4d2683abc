import { expect, test } from 'vitest'
import { demoConfig } from './architectures/config.ts'
import { floatModel } from './graph/decoder-model.ts'
import { randomModel } from './random.ts'
import { argMax, generate, Sampler } from './sample.ts'

const logits = [Math.log(0.5), Math.log(0.3), Math.log(0.15), Math.log(0.05)]

function frequencies(options: ConstructorParameters<typeof Sampler>[0], n = 20_000): number[] {
  const sampler = new Sampler(options)
  const counts = [0, 0, 0, 0]
  for (let i = 0; i < n; i++) counts[sampler.pick(logits)]++
  return counts.map((count) => count / n)
}

test('temperature 1 and top-p 1 sample the distribution itself', () => {
  const f = frequencies({ temperature: 1, topP: 1 })
  ;[0.5, 0.3, 0.15, 0.05].forEach((p, i) => {
    expect(Math.abs(f[i] - p)).toBeLessThan(0.015)
  })
})

test('top-p keeps the smallest set that reaches p, in proportion', () => {
  const f = frequencies({ temperature: 1, topP: 0.75 })
  expect(f[0]).toBeCloseTo(0.5 / 0.8, 1)
  expect(f.slice(2)).toEqual([0, 0])
})

test('low temperature sharpens; zero is greedy', () => {
  expect(frequencies({ temperature: 0.5, topP: 1 })[0]).toBeCloseTo(0.25 / 0.365, 1)
  expect(new Sampler({ temperature: 0 }).pick([1, 3, 2])).toBe(1)
  expect(argMax([2, 2, 1])).toBe(0)
})

test('the seed decides', () => {
  const draw = (seed: number) => {
    const sampler = new Sampler({ temperature: 1, topP: 1, seed })
    return Array.from({ length: 20 }, () => sampler.pick(logits)).join('')
  }
  expect(draw(4)).toBe(draw(4))
  expect(draw(4)).not.toBe(draw(5))
})

test('nonsense options are refused', () => {
  expect(() => new Sampler({ temperature: -1 })).toThrow('temperature')
  expect(() => new Sampler({ topP: 0 })).toThrow('topP')
})

test('generation stops at a stop id, at maxTokens and at the end of the context', () => {
  const config = { ...demoConfig, vocab: 20, dim: 16, layers: 1, ff: 16, context: 8 }
  const make = () => floatModel(config, randomModel(config, 2))
  const free = [...generate(make(), [1, 2], { temperature: 0 })]
  expect(free.length).toBe(7)
  expect([...generate(make(), [1, 2], { temperature: 0, maxTokens: 3 })]).toEqual(free.slice(0, 3))
  const stop = free[2]
  expect([...generate(make(), [1, 2], { temperature: 0, stop: [stop] })]).toEqual(
    free.slice(0, free.indexOf(stop)),
  )
})
