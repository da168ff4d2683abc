import { Tensor as OrtTensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { PredictableRandom, randomModel } from '../../src/model/random.ts'
import { twinLogits } from '../../test/twins/decoders.ts'
import { encoderTwin } from '../../test/twins/encoders.ts'
import { lowbitDecoder, lowbitEncoder } from '../../test/twins/lowbit.ts'
import { openSession } from '../onnx/session.ts'
import { Tape } from '../onnx/tape.ts'
import { textFeeds, weightFeeds } from '../pretrain/feeds.ts'
import { predictGraph, trainGraph } from './classify-graph.ts'
import { LowbitTape, noiseSize } from './lowbit-tape.ts'
import { stepNames } from './matrices.ts'
import { type Bits, bitsNames, type Precision } from './precision.ts'
import { precisionFor, unrounded } from './scales.ts'
import { integers, masterGradients } from './weights.ts'

const encoder: ModelConfig = {
  arch: 'rms-bert',
  vocab: 40,
  dim: 16,
  layers: 2,
  heads: 2,
  kvHeads: 2,
  ff: 24,
  eps: 1e-6,
  context: 16,
  activation: 'relu',
  tied: true,
  types: 2,
  head: { kind: 'classify', labels: ['no', 'yes', 'perhaps'] },
}
const { types: _, head: __, ...shared } = encoder
const decoder: ModelConfig = { ...shared, arch: 'parallel-llama', heads: 4, kvHeads: 2, activation: 'linear' }

const texts = [{ ids: [2, 7, 11, 3, 9, 3], types: [0, 0, 0, 0, 1, 1] }, { ids: [2, 7, 7, 3] }]

/** Masters with steps that are not one. */
function mastersOf(config: ModelConfig): Tensors {
  const masters = randomModel(config, 5)
  const random = new PredictableRandom(8)
  // Scores stay below their cap.
  for (const [name, { data }] of masters)
    if (/(query|q_proj)/.test(name)) for (let i = 0; i < data.length; i++) data[i] *= 0.2
  for (const name of stepNames(config))
    masters.set(name, { shape: [1], data: Float32Array.of(0.2 * random.normal()) })
  return masters
}

const sizes = { qk: 0.6, v: 1, g: 1 }
const rounded = (config: ModelConfig, bits: Bits): Precision =>
  precisionFor(config, mastersOf(config), bits, sizes, { weights: true })

/** Without random choices: every number of the noise is a half, so that rounding is to the nearest. */
const half = (config: ModelConfig, size: readonly [number, number]) => ({
  noise: new OrtTensor('float32', new Float32Array(noiseSize(config, size)).fill(0.5), [
    noiseSize(config, size),
  ]),
})

async function encoded(p: Precision): Promise<number[]> {
  const ints = integers(encoder, mastersOf(encoder), p)
  for (const name of stepNames(encoder)) ints.delete(name)
  const session = await openSession(predictGraph(encoder, [2, 6], p), 1)
  const feeds = {
    ...textFeeds(texts, 2, 6, 0),
    ...weightFeeds(ints),
    ...(p.isRounded && half(encoder, [2, 6])),
  }
  const { logits } = await session.run(feeds)
  await session.release()
  return [...(logits.data as Float32Array)]
}

const ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 35]

async function decoded(p: Precision): Promise<number[]> {
  const ints = integers(decoder, mastersOf(decoder), p)
  for (const name of stepNames(decoder)) ints.delete(name)
  const t = new Tape()
  const model = new LowbitTape(t, decoder, [1, ids.length], p)
  t.output('logits', model.tokenLogits(model.hidden()))
  const session = await openSession(t.model(), 1)
  const feeds = {
    ids: new OrtTensor('int64', BigInt64Array.from(ids, BigInt), [ids.length]),
    ...weightFeeds(ints),
    ...(p.isRounded && half(decoder, [1, ids.length])),
  }
  const { logits } = await session.run(feeds)
  await session.release()
  return [...(logits.data as Float32Array)]
}

describe('without rounding', () => {
  it('an encoder is its twin, whatever its learned steps are', async () => {
    const masters = mastersOf(encoder)
    const expected = texts.flatMap((text) => encoderTwin(encoder, masters, text).logits!.flat())
    const logits = await encoded(unrounded(encoder, masters))
    expected.forEach((value, i) => {
      expect(logits[i]).toBeCloseTo(value, 4)
    })
  })

  it('a decoder is its twin, but for scores that fall by whole 32nds of an octave', async () => {
    const masters = mastersOf(decoder)
    const expected = twinLogits(decoder, masters, ids)
    const logits = await decoded(unrounded(decoder, masters))
    const off = Math.max(...expected.map((value, i) => Math.abs(value - logits[i])))
    expect(off).toBeLessThan(0.05)
  })

  it('gradients are finite differences, through the integers to the masters', async () => {
    const masters = mastersOf(encoder)
    const p = unrounded(encoder, masters)
    const session = await openSession(trainGraph(encoder, [2, 6], p), 1)
    const random = new PredictableRandom(4)
    const rows = Float32Array.from({ length: 12 * 16 }, () => random.normal())
    const feeds = {
      ...textFeeds(texts, 2, 6, 0),
      targets: new OrtTensor('float32', Float32Array.of(0, 1, 0, 0.5, 0.2, 0.3), [2, 3]),
      weights: new OrtTensor('float32', Float32Array.of(0.75, 0.25), [2, 1]),
      rows: new OrtTensor('float32', rows, [12, 16]),
      'row weights': new OrtTensor('float32', new Float32Array(12).fill(0), [12, 1]),
    }
    const run = async () => {
      const ints = integers(encoder, masters, p)
      const own = new Map([...ints].filter(([name]) => !name.startsWith('step.')))
      return { ints, found: await session.run({ ...feeds, ...weightFeeds(own) }) }
    }
    const lossOf = async (): Promise<number> => {
      const [a, b] = (await run()).found.losses.data as Float32Array
      return 0.75 * a + 0.25 * b
    }
    const { ints, found } = await run()
    const raw = new Map(
      [...masters.keys()].map((name) => [
        name,
        (found[`d ${name}`]?.data as Float32Array) ?? new Float32Array(masters.get(name)!.data.length),
      ]),
    )
    const gradients = masterGradients(encoder, masters, ints, raw, p)
    for (const [name, { data }] of masters) {
      if (name.includes('_embeddings')) continue
      const gradient = gradients.get(name)!
      const at = gradient.reduce((most, g, i) => (Math.abs(g) > Math.abs(gradient[most]) ? i : most), 0)
      const kept = data[at]
      data[at] = kept + 5e-3
      const up = await lossOf()
      data[at] = kept - 5e-3
      const slope = (up - (await lossOf())) / 1e-2
      data[at] = kept
      expect(Math.abs(gradient[at] - slope), `${name}: ${gradient[at]} for ${slope}`).toBeLessThan(
        2e-4 + 0.03 * Math.abs(slope),
      )
    }
    await session.release()
  })
})

describe.each(bitsNames)('%s, every rounding to the nearest', (bits) => {
  it('an encoder is its integer twin, bit for bit', async () => {
    const p = rounded(encoder, bits)
    const ints = integers(encoder, mastersOf(encoder), p)
    const expected = texts.flatMap((text) => lowbitEncoder(encoder, ints, p, { ...text, length: 6 }))
    expect(await encoded(p)).toEqual(expected)
  })

  it('a decoder is its integer twin', async () => {
    const p = rounded(decoder, bits)
    const ints = integers(decoder, mastersOf(decoder), p)
    const expected = lowbitDecoder(decoder, ints, p, ids)
    const logits = await decoded(p)
    // The last norm and the output matrix are not integers.
    expect(Math.max(...expected.map((value, i) => Math.abs(value - logits[i])))).toBeLessThan(1e-4)
  })
})
