import { describe, expect, it } from 'vitest'
import { counterSource } from '../../test/support/random-source.ts'
import { DpAdamBC, DpAdamW } from './dp-adam.ts'
import { DpSgd } from './dp-sgd.ts'
import { addGaussian } from './noise.ts'
import { type Optimizer, OptimizerStateError } from './optimizer.ts'
import { privatize } from './privatize.ts'

const one = (x: number) => new Map([['w', Float32Array.of(x)]])

/** Steps through `gradients` and returns the weight after each. */
function walk(
  make: (weights: Map<string, Float32Array>) => Optimizer,
  start: number,
  gradients: number[],
  rate: number,
) {
  const weights = one(start)
  const optimizer = make(weights)
  return gradients.map((g) => {
    optimizer.update(one(g), rate)
    return weights.get('w')![0]
  })
}

describe('steps computed by hand', () => {
  it('DP-SGD, plain, with momentum, with decay', () => {
    expect(walk((w) => new DpSgd(w), 1, [2, -1], 0.1).map((x) => +x.toFixed(6))).toEqual([0.8, 0.9])
    const momentum = walk((w) => new DpSgd(w, { momentum: 0.5, weightDecay: 0 }), 1, [2, -1], 0.1)
    // Velocities 2, then 0.5 * 2 - 1 = 0.
    expect(momentum.map((x) => +x.toFixed(6))).toEqual([0.8, 0.8])
    expect(walk((w) => new DpSgd(w, { momentum: 0, weightDecay: 0.5 }), 1, [2], 0.1)[0]).toBeCloseTo(
      0.95 - 0.2,
      6,
    )
  })

  it('DP-AdamW', () => {
    // First step: both corrected moments are those of the gradient, so it moves by the rate. Second, with
    // g = 2, -1: m^ = (0.9 * 0.2 - 0.1) / 0.19, v^ = (0.999 * 0.004 + 0.001) / 0.001999.
    const [first, second] = walk((w) => new DpAdamW(w), 1, [2, -1], 0.1)
    expect(first).toBeCloseTo(0.9, 6)
    expect(second).toBeCloseTo(0.9 - (0.1 * (0.08 / 0.19)) / Math.sqrt(0.004996 / 0.001999), 6)
    expect(walk((w) => new DpAdamW(w, { weightDecay: 0.5 }), 1, [2], 0.1)[0]).toBeCloseTo(0.95 - 0.1, 6)
  })

  it('DP-AdamBC', () => {
    // Noise of 0.6 * 4 / 2 = 1.2: the first step divides by sqrt(2^2 - 1.44).
    const noise = { sigma: 0.6, clip: 4, expectedBatch: 2 }
    const [first, second] = walk((w) => new DpAdamBC(w, noise), 1, [2, -1], 0.1)
    expect(first).toBeCloseTo(1 - 0.2 / Math.sqrt(4 - 1.44), 6)
    expect(second).toBeCloseTo(first - (0.1 * (0.08 / 0.19)) / Math.sqrt(0.004996 / 0.001999 - 1.44), 6)
    // A gradient below the noise: the floor holds.
    const [floored] = walk((w) => new DpAdamBC(w, noise, { gamma: 0.04 }), 1, [0.5], 0.1)
    expect(floored).toBeCloseTo(1 - (0.1 * 0.5) / 0.2, 6)
    const [byDefault] = walk((w) => new DpAdamBC(w, noise), 1, [1e-4], 1e-3)
    expect(byDefault).toBeCloseTo(1 - 1e-7 / Math.sqrt(7e-9), 6)
  })

  it('leaves gains and biases undecayed', () => {
    const weights = new Map([
      ['w', Float32Array.of(1)],
      ['bias', Float32Array.of(1)],
    ])
    const zero = new Map([...weights].map(([name]) => [name, Float32Array.of(0)]))
    const decay = { weightDecay: 0.5, undecayed: new Set(['bias']) }
    for (const make of [
      () => new DpSgd(weights, { momentum: 0, ...decay }),
      () => new DpAdamW(weights, decay),
    ]) {
      for (const data of weights.values()) data.fill(1)
      make().update(zero, 0.1)
      expect(weights.get('w')![0]).toBeCloseTo(0.95, 6)
      expect(weights.get('bias')![0]).toBe(1)
    }
  })
})

it('AdamBC takes the noise out of the second moment: it steps as Adam does without noise', () => {
  // Many coordinates with the same clean gradient; the mean step must come out as gradient / |gradient| per unit rate,
  // where Adam on the noisy gradient falls short by the noise's share.
  const n = 4000
  const gradient = 0.5
  const noise = { sigma: 1, clip: 2, expectedBatch: 4 } // deviation 0.5: half the second moment is noise
  const weights = () => new Map([['w', new Float32Array(n)]])
  const corrected = weights()
  const plain = weights()
  const bc = new DpAdamBC(corrected, noise)
  const adam = new DpAdamW(plain)
  const rounds = 400
  const last = { corrected: new Float32Array(n), plain: new Float32Array(n) }
  for (let i = 0; i < rounds; i++) {
    const sum = new Map([['w', new Float32Array(n).fill(gradient * noise.expectedBatch)]])
    privatize(sum, noise)
    last.corrected.set(corrected.get('w')!)
    last.plain.set(plain.get('w')!)
    bc.update(sum, 1)
    adam.update(sum, 1)
  }
  const mean = (before: Float32Array, after: Float32Array) =>
    after.reduce((total, x, i) => total + before[i] - x, 0) / n
  // v^ varies by 5 % or so across coordinates, so the mean of its root is biased by under 1 %; the mean's own deviation
  // is 0.4 %, and the margin is beyond six of those.
  expect(Math.abs(mean(last.corrected, corrected.get('w')!) - 1)).toBeLessThan(0.04)
  expect(Math.abs(mean(last.plain, plain.get('w')!) - Math.SQRT1_2)).toBeLessThan(0.03)
  // The second moments themselves: v^ less the noise's variance is the gradient's square.
  const v = bc.state().tensors.get('v.w')!
  const corrected2 = v.reduce((total, x) => total + x, 0) / n / (1 - 0.999 ** rounds) - 0.25
  expect(Math.abs(corrected2 - gradient ** 2)).toBeLessThan(0.01)
})

describe('state', () => {
  const makers: ((weights: Map<string, Float32Array>) => Optimizer)[] = [
    (w) => new DpSgd(w, { momentum: 0.9, weightDecay: 0.01 }),
    (w) => new DpAdamW(w, { weightDecay: 0.01 }),
    (w) => new DpAdamBC(w, { sigma: 1, clip: 1, expectedBatch: 8 }),
  ]
  const fresh = () =>
    new Map([
      ['a', Float32Array.of(1, 2, 3)],
      ['b', Float32Array.of(4)],
    ])
  const gradients = (step: number) =>
    new Map(
      [...fresh()].map(([name, { length }]) => {
        const values = new Float32Array(length)
        addGaussian(values, 1, counterSource(step))
        return [name, values]
      }),
    )

  it('resumes exactly', () => {
    for (const make of makers) {
      const weights = fresh()
      const optimizer = make(weights)
      for (let i = 0; i < 3; i++) optimizer.update(gradients(i), 0.1)
      const saved = structuredClone(optimizer.state())
      const copy = new Map([...weights].map(([name, data]) => [name, data.slice()]))
      for (let i = 3; i < 6; i++) optimizer.update(gradients(i), 0.1)
      const resumed = make(copy)
      resumed.restore(saved)
      expect(resumed.steps).toBe(3)
      for (let i = 3; i < 6; i++) resumed.update(gradients(i), 0.1)
      expect(copy).toEqual(weights)
      expect(resumed.state()).toEqual(optimizer.state())
    }
  })

  it('is refused by other weights and other optimizers', () => {
    const [sgd, adam] = makers.map((make) => make(fresh()))
    expect(() => sgd.restore(adam.state())).toThrow(OptimizerStateError)
    const other = new DpAdamW(new Map([...fresh(), ['b', new Float32Array(2)]]))
    expect(() => other.restore(adam.state())).toThrow(/v?\.b|m\.b/)
    expect(() => sgd.update(one(1), 0.1)).toThrow(/gradient of a/)
  })
})
