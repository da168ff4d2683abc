import { describe, expect, it } from 'vitest'
import { PredictableRandom, randomModel } from '../../src/model/random.ts'
import { shake, smallConfig, smallTask, smallTexts } from '../../test/support/classify-corpus.ts'
import { prepare } from './base.ts'
import { classifyGraph } from './classify-graph.ts'
import { ClassifyTask } from './classify-task.ts'

const random = () => new PredictableRandom(1)
const flatten = (sums: Map<string, Float32Array>) => [...sums.values()].flatMap((values) => [...values])

describe.each(['ffa-lora', 'lora'] as const)('gradients clipped by example, %s', (method) => {
  it('are the sum of single examples, each scaled to the norm', async () => {
    const task = smallTask(method)
    shake(task)
    const singles: number[][] = []
    for (let i = 0; i < 20; i++) singles.push(flatten((await task.gradient([i], { random: random() })).sums))
    const norms = singles.map((g) => Math.sqrt(g.reduce((sum, v) => sum + v * v, 0)))
    const clip = norms.toSorted((a, b) => a - b)[10]
    const expected = singles[0].map((_, at) =>
      singles.reduce((sum, g, i) => sum + g[at] * Math.min(1, clip / (norms[i] + 1e-6)), 0),
    )
    const numbers = Array.from({ length: 20 }, (_, i) => i)
    const { sums, clipped, loss } = await task.gradient(numbers, { clip, random: random() })
    flatten(sums).forEach((value, at) => {
      expect(Math.abs(value - expected[at])).toBeLessThan(2e-4 * clip)
    })
    expect(clipped).toBe(norms.filter((norm) => norm > clip * (1 + 1e-6)).length)
    expect(loss).toBeGreaterThan(0)
    await task.close()
  })

  it('change by at most the norm when one example leaves the batch, whichever stay', async () => {
    const task = smallTask(method)
    shake(task)
    const clip = 0.05
    const sumOf = async (numbers: number[]) =>
      flatten((await task.gradient(numbers, { clip, random: random() })).sums)
    const batch = Array.from({ length: 13 }, (_, i) => (5 * i) % 48)
    const whole = await sumOf(batch)
    for (const left of [0, 6, 12]) {
      const part = await sumOf(batch.filter((_, i) => i !== left))
      const apart = Math.hypot(...whole.map((value, at) => value - part[at]))
      expect(apart).toBeGreaterThan(0.9 * clip)
      expect(apart).toBeLessThan(1.001 * clip)
    }
    await task.close()
  })

  it('of an empty batch are zero', async () => {
    const task = smallTask(method)
    const { sums, loss } = await task.gradient([], { clip: 1, random: random() })
    expect(flatten(sums).every((value) => value === 0)).toBe(true)
    expect(loss).toBe(0)
  })
})

it('a batch that fills no graph has gradients under a constant cap, too', async () => {
  const config = { ...smallConfig, softmaxCap: 5 }
  const base = { config, tensors: randomModel(config, 3), tokenizer: {} }
  const how = { method: 'ffa-lora', rank: 2, alpha: 4, seed: 1 } as const
  const prepared = prepare(base, { labels: ['no', 'yes'] }, how)
  const task = new ClassifyTask({ ...prepared, train: smallTexts(5, 1), dev: [], pad: 0, tokens: 128 })
  shake(task)
  for (const clip of [undefined, 1]) {
    const all = flatten((await task.gradient([0, 1, 2, 3, 4], { clip, random: random() })).sums)
    expect(all.every(Number.isFinite)).toBe(true)
    expect(all.some((value) => value !== 0)).toBe(true)
  }
  await task.close()
})

it('clips whole models too, but not the embedding tables', () => {
  const config = { ...smallConfig, head: { kind: 'classify' as const, labels: ['no', 'yes'] } }
  const table = 'bert.embeddings.word_embeddings.weight'
  expect(() => classifyGraph(config, 2, 16, 'clip', new Set([table]))).toThrow(table)
  const names = ['bert.encoder.layer.0.output.LayerNorm.weight', 'bert.encoder.layer.0.output.dense.weight']
  expect(classifyGraph(config, 2, 16, 'clip', new Set(names)).length).toBeGreaterThan(1000)
})

it('probabilities do not depend on the texts beside them', async () => {
  const task = smallTask('full')
  shake(task)
  const texts = Array.from({ length: 8 }, (_, i) => ({ text: { ids: [2, 7 + i, 9, 3] }, label: 0 }))
  const together = await task.predict(texts, new Map())
  const alone = await task.predict([texts[6]], new Map())
  expect(alone[0][1]).toBeCloseTo(together[6][1], 5)
  expect(alone[0][0] + alone[0][1]).toBeCloseTo(1, 5)
  await task.close()
})
