import { afterAll, describe, expect, it } from 'vitest'
import { demoConfig, type ModelConfig, type Tensors } from '../../src/model/architectures/config.ts'
import { adapterName, merged } from '../../src/model/graph/lora.ts'
import { PredictableRandom, randomModel } from '../../src/model/random.ts'
import { twinLogits, twinLoss } from '../../test/twins/decoders.ts'
import { adapterTargets } from '../finetune/base.ts'
import { ChatTask, counted } from '../finetune/chat-task.ts'
import { onnxEngine } from './engine.ts'

const plain: ModelConfig = { ...demoConfig, vocab: 40, dim: 16, layers: 2, ff: 24, context: 48 }
const config: ModelConfig = { ...plain, lora: { rank: 3, alpha: 6, targets: adapterTargets(plain) } }
const tensors = randomModel(config, 3)
const random = new PredictableRandom(5)
const dialogue = (length: number) => Array.from({ length }, () => random.below(config.vocab))
// Of unequal lengths, so that some rows are padded; two share a run of the graph.
const train = [dialogue(9), dialogue(14), dialogue(33), dialogue(20)]
const names = [...tensors.keys()].filter((name) => name.includes('.lora_'))
const task = new ChatTask({ config, tensors, trained: new Set(names), train, dev: train })
afterAll(() => task.close())
const all = [0, 1, 2, 3]

/** Mean nats a token of one dialogue, by the twin, which keeps adapters apart. */
const referenceLoss = (ids: number[], w: Tensors): number => twinLoss(config, w, ids)

const largest = (values: Float32Array) => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0)
const furthest = (a: Float32Array, b: ArrayLike<number>) =>
  a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0)

/** Each dialogue's gradient over all trained tensors together is clipped, then they are summed. */
async function expectClipped(task: ChatTask): Promise<void> {
  const each = await Promise.all(all.map((i) => task.gradient([i], { random })))
  const norms = each.map(({ sums }) => Math.hypot(...[...sums.values()].flatMap((g) => [...g])))
  // Some above, some below.
  const clip = norms.toSorted((a, b) => a - b)[1] * 1.001
  const { sums, clipped, loss } = await task.gradient(all, { clip, random })
  expect(clipped).toBe(2)
  expect(loss).toBeCloseTo(
    each.reduce((sum, one) => sum + one.loss, 0),
    4,
  )
  for (const [name, sum] of sums) {
    const expected = new Float32Array(sum.length)
    each.forEach((one, k) => {
      const scale = Math.min(1, clip / (norms[k] + 1e-6))
      one.sums.get(name)!.forEach((v, i) => {
        expected[i] += scale * v
      })
    })
    expect(furthest(sum, expected) / largest(expected), name).toBeLessThan(1e-4)
  }
}

describe('a decoder with adapters', () => {
  it('has the losses of the float reference, padding or not', async () => {
    const nats = await task.nats(train, new Map())
    for (const [i, ids] of train.entries())
      expect(nats[i] / (ids.length - 1)).toBeCloseTo(referenceLoss(ids, tensors), 5)
    const { loss } = await task.evaluate(new Map())
    const tokens = train.reduce((sum, { length }) => sum + length - 1, 0)
    expect(loss).toBeCloseTo(nats.reduce((a, b) => a + b) / tokens, 10)
  })

  it('has those of a form whose products lie in one matrix, heads of any width', async () => {
    const phi3: ModelConfig = {
      ...plain,
      arch: 'phi3',
      headDim: 6,
      lora: { rank: 2, alpha: 3, targets: ['qkv_proj', 'gate_up_proj'] },
    }
    const own = randomModel(phi3, 4)
    const trained = new Set([...own.keys()].filter((name) => name.includes('.lora_')))
    const other = new ChatTask({ config: phi3, tensors: own, trained, train, dev: train })
    const { loss, sums } = await other.gradient(all, { random })
    const expected = train.reduce((sum, ids) => sum + twinLoss(phi3, own, ids), 0)
    expect(loss).toBeCloseTo(expected, 4)
    for (const [name, sum] of sums) expect(largest(sum), name).toBeGreaterThan(0)
    await other.close()
  })

  it('has gradients that agree with finite differences of the reference', async () => {
    const { sums, loss } = await task.gradient(all, { random })
    const total = () => train.reduce((sum, ids) => sum + referenceLoss(ids, tensors), 0)
    expect(loss).toBeCloseTo(total(), 4)
    for (const [name, g] of sums) {
      const { data } = tensors.get(name)!
      let at = 0
      for (let i = 1; i < g.length; i++) if (Math.abs(g[i]) > Math.abs(g[at])) at = i
      const kept = data[at]
      data[at] = kept + 2 ** -7
      const above = total()
      const reached = data[at]
      data[at] = kept - 2 ** -7
      const below = total()
      const slope = (above - below) / (reached - data[at])
      data[at] = kept
      expect(Math.abs(slope / g[at] - 1), name).toBeLessThan(1e-2)
    }
  })

  it('has gradients of B that are the full gradient of the merged weight, seen through A', async () => {
    const full: Tensors = new Map()
    for (const [name, { shape }] of tensors)
      if (!name.includes('.lora_')) full.set(name, { shape, data: merged(config, tensors, name) })
    const engine = await onnxEngine(plain, 1)
    const ids = train[0]
    const { gradients } = await engine.run(full, {
      rows: 1,
      length: ids.length - 1,
      ids: Int32Array.from(ids),
    })
    await engine.close()
    const { sums } = await task.gradient([0], { random })
    for (const name of names.filter((n) => n.endsWith('lora_B.weight'))) {
      const weight = name.replace('.lora_B.', '.')
      const [rank, inputs] = tensors.get(adapterName(weight, 'A'))!.shape
      const a = tensors.get(adapterName(weight, 'A'))!.data
      const dw = gradients.get(weight)!
      const expected = new Float32Array(sums.get(name)!.length)
      for (let o = 0; o < expected.length / rank; o++)
        for (let r = 0; r < rank; r++)
          for (let i = 0; i < inputs; i++)
            expected[o * rank + r] += (6 / 3) * dw[o * inputs + i] * a[r * inputs + i]
      expect(furthest(sums.get(name)!, expected) / largest(expected), name).toBeLessThan(1e-4)
    }
  })

  it('clips by dialogue: each to the norm over all adapters together, then sums', () => expectClipped(task))

  it('sums to nothing over an empty batch', async () => {
    const { sums, loss } = await task.gradient([], { clip: 1, random })
    expect(loss).toBe(0)
    for (const sum of sums.values()) expect(largest(sum)).toBe(0)
  })

  it('learns and measures replies only, if told to', async () => {
    const [begin, end] = [38, 39]
    const ids = [1, 2, begin, 3, 4, end, 5, 6, begin, 7]
    expect(counted(ids, { begin, end })).toEqual([...'001110001'].map((digit) => digit === '1'))
    const replies = { begin, end }
    const own = new ChatTask({ config, tensors, trained: new Set(names), train: [ids], dev: [ids], replies })
    expect(own.heldOutTokens).toBe(4)
    const logits = Float64Array.from(twinLogits(config, tensors, ids.slice(0, -1)))
    const nats = [2, 3, 4, 8].map((t) => {
      const at = t * config.vocab
      const row = logits.subarray(at, at + config.vocab)
      return Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[ids[t + 1]]
    })
    const mean = nats.reduce((a, b) => a + b) / 4
    expect((await own.evaluate(new Map())).loss).toBeCloseTo(mean, 5)
    expect((await own.gradient([0], { random })).loss).toBeCloseTo(mean, 5)
    await own.close()
  })

  it('refuses to train what the graph has no clipped gradient for', () => {
    const trained = new Set(['model.embed_tokens.weight'])
    expect(() => new ChatTask({ config, tensors, trained, train, dev: train })).toThrow(
      'cannot be trained here',
    )
    expect(
      () => new ChatTask({ config, tensors, trained: new Set(names), train: [[1]], dev: train }),
    ).toThrow('two tokens')
  })
})

it('clips by dialogue where matrices are stored by inputs, one of them for queries, keys and values', async () => {
  const gpt2: ModelConfig = { ...plain, arch: 'gpt2', kvHeads: plain.heads, activation: 'gelu' }
  const weights = randomModel(gpt2, 4)
  const trained = new Set([...weights.keys()].filter((name) => name.startsWith('h.')))
  const own = new ChatTask({ config: gpt2, tensors: weights, trained, train, dev: train })
  await expectClipped(own)
  await own.close()
})
