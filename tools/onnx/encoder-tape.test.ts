import { Tensor as OrtTensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { PredictableRandom, randomModel } from '../../src/model/random.ts'
import { encoderTwin } from '../../test/twins/encoders.ts'
import { textFeeds, weightFeeds } from '../pretrain/feeds.ts'
import { softCrossEntropy } from './loss.ts'
import { ModelTape } from './model-tape.ts'
import { summed } from './parameters.ts'
import { scatterEmbeddings } from './scatter.ts'
import { openSession } from './session.ts'
import { Tape } from './tape.ts'

const bert: ModelConfig = {
  arch: 'bert',
  vocab: 23,
  dim: 8,
  layers: 2,
  heads: 2,
  kvHeads: 2,
  ff: 12,
  eps: 1e-6,
  context: 10,
  activation: 'gelu',
  tied: true,
  types: 2,
  head: { kind: 'classify', labels: ['no', 'yes', 'perhaps'] },
}

const variants: Record<string, ModelConfig> = {
  BERT: bert,
  'a BERT with adapters': {
    ...bert,
    lora: { rank: 2, alpha: 6, targets: ['query', 'key', 'value', 'dense'] },
  },
  'a RoBERTa': { ...bert, arch: 'roberta', types: 1, positionOffset: 2 },
  'a DistilBERT': { ...bert, arch: 'distilbert', types: undefined },
  'an ELECTRA with a narrow embedding': { ...bert, arch: 'electra', embedding: 5 },
  'the tanh GELU and a soft cap': { ...bert, activation: 'gelu_tanh', softcap: 3 },
  'a BERT of few bits': { ...bert, arch: 'rms-bert', activation: 'relu' },
  "SPRINT's GELU and softmax": { ...bert, activation: 'gelu_sprint', softmaxCap: 10 },
}

const texts = [{ ids: [2, 7, 11, 3, 9, 3], types: [0, 0, 0, 0, 1, 1] }, { ids: [2, 7, 7, 3] }]
const targets = [
  [0, 1, 0],
  [0.5, 0.2, 0.3],
]
const weights = [0.75, 0.25]

function graph(config: ModelConfig): Uint8Array {
  const t = new Tape()
  const model = new ModelTape(t, config, [2, 6], () => summed(t))
  const logits = model.labelLogits(model.hidden())
  const loss = softCrossEntropy(t, logits, t.input('targets', [2, 3]), t.input('weights', [2, 1]))
  t.backward()
  t.output('logits', logits)
  t.output('loss', loss)
  t.output('d embedded', t.gradient(model.embedded))
  for (const [name, value] of model.weights)
    if (!name.includes('_embeddings')) t.output(`d ${name}`, t.gradient(value))
  return t.model()
}

/** The weighted loss by the twin. */
function referenceLoss(config: ModelConfig, tensors: Tensors): number {
  return texts.reduce((sum, { ids, types }, row) => {
    const text = { ids, types: config.types === 2 ? types : undefined }
    const [logits] = encoderTwin(config, tensors, text).logits!
    const top = Math.log(logits.reduce((a, x) => a + Math.exp(x), 0))
    return sum - weights[row] * targets[row].reduce((a, p, i) => a + p * (logits[i] - top), 0)
  }, 0)
}

it('does not train layers that share their weights', () => {
  const albert: ModelConfig = { ...bert, arch: 'albert', embedding: 5 }
  expect(() => graph(albert)).toThrow('not trained here')
})

describe.each(Object.entries(variants))('the training graph of %s', (_, config) => {
  it('gives the logits of the twin, and gradients equal to finite differences', async () => {
    const tensors = randomModel(config, 5)
    const session = await openSession(graph(config), 1)
    const own = texts.map((text) => (config.types === 2 ? text : { ids: text.ids }))
    const feeds = {
      ...textFeeds(own, 2, 6, 0),
      ...weightFeeds(tensors),
      targets: new OrtTensor('float32', Float32Array.from(targets.flat()), [2, 3]),
      weights: new OrtTensor('float32', Float32Array.from(weights), [2, 1]),
    }
    const results = await session.run(feeds)
    const reference = own.flatMap((text) => encoderTwin(config, tensors, text).logits!.flat())
    ;(results.logits.data as Float32Array).forEach((value, i) => {
      expect(value).toBeCloseTo(reference[i], 4)
    })
    const gradients = new Map(
      [...tensors].map(([name, { data }]) => [
        name,
        (results[`d ${name}`]?.data as Float32Array) ?? new Float32Array(data.length),
      ]),
    )
    scatterEmbeddings(config, gradients, results['d embedded'].data as Float32Array, feeds, 6)
    const random = new PredictableRandom(9)
    for (const [name, { data }] of tensors) {
      const gradient = gradients.get(name)!
      const largest = gradient.reduce(
        (at, value, i) => (Math.abs(value) > Math.abs(gradient[at]) ? i : at),
        0,
      )
      for (const i of [largest, random.below(data.length)]) {
        const step = 1e-3
        const kept = data[i]
        data[i] = kept + step
        const up = referenceLoss(config, tensors)
        const upAt = data[i]
        data[i] = kept - step
        const slope = (up - referenceLoss(config, tensors)) / (upAt - data[i])
        data[i] = kept
        expect(Math.abs(gradient[i] - slope), `${name}[${i}]: ${gradient[i]} for ${slope}`).toBeLessThan(
          1e-4 + 5e-3 * Math.abs(slope),
        )
      }
    }
    await session.release()
  })
})
