import { describe, expect, it, test } from 'vitest'
import { encoderTwin } from '../../../test/twins/encoders.ts'
import type { ModelConfig } from '../architectures/config.ts'
import { randomModel } from '../random.ts'
import { encoderModel } from './encoder-model.ts'

const bert: ModelConfig = {
  arch: 'bert',
  vocab: 19,
  dim: 8,
  layers: 2,
  heads: 2,
  kvHeads: 2,
  ff: 12,
  eps: 1e-12,
  context: 10,
  activation: 'gelu',
  tied: true,
  types: 2,
  head: { kind: 'classify', labels: ['no', 'yes', 'perhaps'] },
}

const roberta: ModelConfig = { ...bert, arch: 'roberta', types: 1, positionOffset: 2, eps: 1e-5 }

const distilbert: ModelConfig = { ...bert, arch: 'distilbert', types: undefined }
const electra: ModelConfig = { ...bert, arch: 'electra', embedding: 5 }
const albert: ModelConfig = { ...bert, arch: 'albert', embedding: 5, activation: 'gelu_tanh' }
const modernbert: ModelConfig = {
  ...bert,
  arch: 'modernbert',
  types: undefined,
  eps: 1e-5,
  layers: 3,
  ropeTheta: 1000,
  localRotary: { theta: 100, layers: [1, 2], window: 2 },
}
const tag = { kind: 'tag', labels: ['O', 'B-PER'] } as const

const ids = [3, 1, 4, 1, 5, 9, 2]
const types = [0, 0, 0, 0, 1, 1, 1]

const mlm = { kind: 'mlm' } as const
const cases: [string, ModelConfig][] = [
  ['a BERT classifier', bert],
  ['a RoBERTa classifier', roberta],
  ['a BERT masked language model', { ...bert, head: mlm }],
  ['a RoBERTa masked language model', { ...roberta, head: mlm }],
  ['a DistilBERT classifier', distilbert],
  ['a DistilBERT masked language model', { ...distilbert, head: mlm }],
  ['an ELECTRA classifier with a narrow embedding', electra],
  ['an ELECTRA masked language model', { ...electra, embedding: undefined, head: mlm }],
  ['an ALBERT classifier', albert],
  ['a RoBERTa that labels tokens', { ...roberta, head: { ...tag, labels: [...tag.labels] } }],
  ['a DistilBERT that labels tokens', { ...distilbert, head: { ...tag, labels: [...tag.labels] } }],
  ['a BERT with adapters', { ...bert, lora: { rank: 2, alpha: 4, targets: ['query', 'dense'] } }],
  ['a ModernBERT that reads the first row', modernbert],
  [
    'a ModernBERT that reads the mean',
    { ...modernbert, head: { kind: 'classify', labels: ['no', 'yes'], pooling: 'mean' } },
  ],
  ['a ModernBERT masked language model', { ...modernbert, head: mlm }],
  ['a ModernBERT that labels tokens', { ...modernbert, head: { ...tag, labels: [...tag.labels] } }],
  ['no head', { ...bert, head: undefined }],
  ['a BERT of few bits', { ...bert, arch: 'rms-bert', activation: 'relu' }],
  ['a BERT of few bits without a head', { ...bert, arch: 'rms-bert', activation: 'relu', head: undefined }],
  ['soft-capped logits', { ...bert, softcap: 2 }],
  ['a softmax with a constant cap', { ...bert, softmaxCap: 6 }],
]

describe.each(cases)('%s', (_, config) => {
  test('is what its paper says', () => {
    const tensors = randomModel(config, 9)
    const text = (config.types ?? 1) === 1 ? { ids } : { ids, types }
    const { hidden, logits } = encoderModel(config, tensors).forward(text)
    const expected = encoderTwin(config, tensors, text)
    // Merged weights are rounded to float32; the twin keeps adapters apart.
    const close = config.lora ? 2e-6 : 1e-11
    for (const [got, want] of [
      [hidden, expected.hidden.flat()],
      [logits ?? [], expected.logits?.flat() ?? []],
    ]) {
      expect(got.length).toBe(want.length)
      expect(Math.max(0, ...want.map((value, i) => Math.abs(value - got[i])))).toBeLessThan(close)
    }
  })
})

it('masked tokens change nothing, whatever they are', () => {
  const model = encoderModel(bert, randomModel(bert, 3))
  const { logits } = model.forward({ ids, types })
  const mask = [1, 1, 1, 1, 1, 1, 1, 0, 0]
  const padded = model.forward({ ids: [...ids, 8, 7], types: [...types, 0, 1], mask })
  expect(padded.logits).toEqual(logits)
})

it('what is outside a table is refused', () => {
  const model = encoderModel(roberta, randomModel(roberta, 3))
  expect(() => model.forward({ ids: [1, 19] })).toThrow('outside the vocabulary')
  expect(() => model.forward({ ids: [1, 2], types: [0, 1] })).toThrow('Token type 1')
  expect(() => model.forward({ ids: new Array(11).fill(1) })).toThrow('context of 10')
})

test.each([bert, roberta])('$arch in float32 is close to float64, and not the same', (config) => {
  const tensors = randomModel(config, 4)
  const input = { ids: [3, 1, 4, 1, 5], mask: [1, 1, 1, 0, 1] }
  const exact = encoderModel(config, tensors).forward(input)
  const { hidden, logits } = encoderModel(config, tensors, undefined, 'float32').forward(input)
  for (const [got, want] of [
    [hidden, exact.hidden],
    [logits!, exact.logits!],
  ]) {
    const error = Math.max(...got.map((value, i) => Math.abs(value - want[i])))
    expect(error).toBeGreaterThan(0)
    expect(error).toBeLessThan(1e-5)
    expect(got.every((value) => Math.fround(value) === value)).toBe(true)
  }
})
