import { expect, test } from 'vitest'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { PredictableRandom, randomModel } from '../../src/model/random.ts'
import { realTensors } from './export.ts'
import { privateMatrices, stepNames } from './matrices.ts'
import { precisionFor, settled } from './scales.ts'
import type { Measured } from './task.ts'
import { integers } from './weights.ts'

const config: ModelConfig = {
  arch: 'rms-bert',
  vocab: 30,
  dim: 32,
  layers: 2,
  heads: 4,
  kvHeads: 4,
  ff: 48,
  eps: 1e-6,
  context: 16,
  activation: 'relu',
  tied: true,
  types: 2,
  head: { kind: 'classify', labels: ['no', 'yes'] },
}

function masters(): Tensors {
  const tensors = randomModel(config, 3)
  const random = new PredictableRandom(1)
  for (const name of stepNames(config))
    tensors.set(name, { shape: [1], data: Float32Array.of(0.3 * random.normal()) })
  return tensors
}

const precision = (bits: 'w1a8' | 'w4a6') =>
  precisionFor(config, masters(), bits, { qk: 0.7, v: 1, g: 1 }, { weights: true })

test("one bit: signs of a weight less its column's mean, times an integer that the column has alone", () => {
  const from = masters()
  const ints = integers(config, from, precision('w1a8'))
  for (const { weight, kind } of privateMatrices(config)) {
    if (kind === 'head') continue
    const { shape, data } = ints.get(weight)!
    const scales = new Set<number>()
    for (let row = 0; row < shape[0]; row++) {
      const column = data.subarray(row * shape[1], (row + 1) * shape[1])
      const master = from.get(weight)!.data.subarray(row * shape[1], (row + 1) * shape[1])
      const mean = master.reduce((a, b) => a + b) / shape[1]
      const scale = Math.abs(column[0])
      scales.add(scale)
      expect(Number.isInteger(scale) && scale >= 1 && scale <= 15).toBe(true)
      expect([...column]).toEqual([...master].map((w) => (w >= mean ? scale : -scale)))
    }
    expect(scales.size, weight).toBeGreaterThan(1)
  }
})

test('four bits: odd numbers up to 15 times an integer, 64 at most in all', () => {
  const ints = integers(config, masters(), precision('w4a6'))
  for (const { weight, kind } of privateMatrices(config)) {
    if (kind === 'head') continue
    const { shape, data } = ints.get(weight)!
    for (let row = 0; row < shape[0]; row++) {
      const column = [...data.subarray(row * shape[1], (row + 1) * shape[1])]
      const scale = [1, 2, 3, 4].find((c) =>
        column.every((w) => Number.isInteger(w / c) && Math.abs(w / c) % 2 === 1),
      )
      expect(scale, weight).toBeDefined()
      expect(Math.max(...column.map(Math.abs))).toBeLessThanOrEqual(60)
      expect(new Set(column).size).toBeGreaterThan(4)
    }
  }
})

test('a classifier has whole numbers up to 63, and biases are whole at the scale of the sums that they are added to', () => {
  const ints = integers(config, masters(), precision('w1a8'))
  const head = ints.get('classifier.weight')!.data
  expect([...head].every((w) => Number.isInteger(w) && Math.abs(w) <= 63)).toBe(true)
  for (const [name, { data }] of ints)
    if (name.endsWith('.bias')) expect([...data].every(Number.isInteger), name).toBe(true)
})

test('steps are folded in: a bundle has none, and its tensors are the integers by powers of two', () => {
  const p = precision('w1a8')
  const real = realTensors(config, masters(), p)
  const ints = integers(config, masters(), p)
  expect([...real.keys()].some((name) => name.startsWith('step.'))).toBe(false)
  for (const { weight, kind } of privateMatrices(config))
    expect([...real.get(weight)!.data].map((w) => w * 2 ** p.weights[kind])).toEqual([
      ...ints.get(weight)!.data,
    ])
})

test('rings and cap hold what was measured, with room, and are never less than they were trained with', () => {
  const p = precision('w1a8')
  const small = { rms: 1, most: 1 }
  const all: Measured = { qk: small, v: small, g: small, y: small, squares: small, scores: small }
  expect(settled(p, all)).toEqual(p)
  const large = settled(p, {
    ...all,
    v: { rms: 1, most: 2 ** p.rings.v - 1 },
    g: { rms: 1, most: 2 ** (p.rings.g - 2) - 1 },
    squares: { rms: 1, most: 2 ** p.rings.sq - 1 },
    scores: { rms: 1, most: p.cap + 0.2 },
  })
  expect(large.rings).toEqual({ ...p.rings, v: p.rings.v + 1, g: p.rings.g + 1, sq: p.rings.sq + 1 })
  expect(large.cap).toBe(p.cap + 1)
})
