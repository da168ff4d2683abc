/** Encoders: private inference equals the integer oracle bit for bit, and the float model closely. */

import { describe, expect, it } from 'vitest'
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { LocalParties } from '../../src/protections/shared/local/local-parties.ts'
import type { ModelSpec } from '../../src/protections/shared/profiles/fixed/block.ts'
import { localKeys } from '../support/protocol/local-keys.ts'
import { mismatches } from '../support/protocol/mismatches.ts'
import {
  type Privacy,
  type TinyEncoder,
  tinyBert,
  tinyEncoder,
  tinyRoberta,
} from '../support/protocol/models.ts'
import type { TwinText } from '../twins/bert.ts'
import { encoderTwin } from '../twins/encoders.ts'

const lora = { rank: 2, alpha: 4, targets: ['query', 'value', 'dense'] }

/** Three tokens in a bucket of 16, and 20 in one of 32. */
function texts({ types = 1 }: ModelConfig): TwinText[] {
  return [3, 20].map((n) => {
    const ids = Array.from({ length: n }, (_, i) => (i === 0 ? 1 : (7 * i + n) % 48))
    return { ids, types: ids.map((_, i) => (i > n / 2 ? types - 1 : 0)) }
  })
}

const furthest = (got: Float64Array, want: ArrayLike<number>): number => {
  expect(got.length).toBe(want.length)
  return Math.max(...got.map((v, i) => Math.abs(v - want[i])))
}

/** Runs the texts; returns the largest errors of what is released, and checks every value against the oracle. */
async function errors({ config, tensors, model, ends }: TinyEncoder): Promise<number[]> {
  const parties = new LocalParties(model, tensors, { keys: localKeys() })
  const out: number[] = []
  for (const text of texts(config)) {
    const { rows, padding } = ends.input(text)
    const trace = await parties.pass(0, rows, padding)
    expect(mismatches(parties, trace)).toEqual([])
    const { hidden, logits } = encoderTwin(config, tensors, text)
    const isClassifier = config.head?.kind === 'classify'
    const got = isClassifier ? trace.released : ends.tokens(trace.released, text.ids.length)
    out.push(furthest(got, (logits ?? hidden).flat()))
  }
  return out
}

const mlm = { kind: 'mlm' } as const
const tag: ModelConfig['head'] = { kind: 'tag', labels: ['O', 'B-PER', 'I-PER', 'B-LOC'] }
const score: ModelConfig['head'] = { kind: 'classify', labels: ['score'], outputs: 'raw' }
const distilbert: ModelConfig = { ...tinyBert, arch: 'distilbert', types: undefined }
const electra: ModelConfig = { ...tinyBert, arch: 'electra', embedding: 20 }
const modernbert: ModelConfig = {
  ...tinyBert,
  arch: 'modernbert',
  types: undefined,
  eps: 1e-5,
  ropeTheta: 1000,
  localRotary: { theta: 100, layers: [1], window: 4 },
}
const mean: ModelConfig['head'] = {
  kind: 'classify',
  labels: ['negative', 'neutral', 'positive'],
  pooling: 'mean',
}
const cases: [string, ModelConfig, Privacy, ModelSpec['ends']?][] = [
  ['bert, private', tinyBert, 'private'],
  ['bert, public', tinyBert, 'public'],
  ['bert, public blocks and a private head', tinyBert, 'public', { pool: 'private', head: 'private' }],
  ['roberta, half of it public', tinyRoberta, 'mixed'],
  ['roberta with adapters', { ...tinyRoberta, lora }, 'private'],
  ['bert with a private embedding', tinyBert, 'private', { embed: 'private' }],
  ['bert in pieces', tinyBert, 'split'],
  ['bert with soft-capped logits', { ...tinyBert, softcap: 5 }, 'private'],
  [
    'roberta as SPRINT trains it',
    { ...tinyRoberta, softcap: 3, softmaxCap: 3, activation: 'gelu_sprint' },
    'private',
  ],
  ['distilbert, private', distilbert, 'private'],
  ['electra with a narrow embedding, half of it public', electra, 'mixed'],
  ['electra as wide throughout, in pieces', { ...electra, embedding: undefined }, 'split'],
  ['albert with one score', { ...tinyBert, arch: 'albert', embedding: 12, head: score }, 'private'],
  ['bert that labels tokens', { ...tinyBert, head: tag }, 'private'],
  ['distilbert that labels tokens, public', { ...distilbert, head: tag }, 'public'],
  ['modernbert, private', modernbert, 'private'],
  ['modernbert that reads the mean, half of it public', { ...modernbert, head: mean }, 'mixed'],
  ['modernbert that labels tokens, in pieces', { ...modernbert, head: tag }, 'split'],
  ['modernbert, masked language model', { ...modernbert, head: mlm }, 'private', { head: 'public' }],
  ['bert without a head', { ...tinyBert, head: undefined }, 'private', { head: 'public' }],
  ['bert without a head, its last norm private', { ...tinyBert, head: undefined }, 'private'],
  ['bert, masked language model', { ...tinyBert, head: mlm }, 'private', { head: 'public' }],
  ['roberta, masked language model, all private', { ...tinyRoberta, head: mlm }, 'private'],
]

describe.each(cases)('%s', (_, config, privacy, ends) => {
  it('equals the oracle, and the float model closely', async () => {
    for (const error of await errors(tinyEncoder(config, privacy, ends))) expect(error).toBeLessThan(0.02)
  })
})
