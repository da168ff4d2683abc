/** Folders that nobody here trained, from import to the private run. */

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { EncoderEnds } from '../../src/model/encoder-ends.ts'
import { loadBundle } from '../../src/model/files/bundle-node.ts'
import { encoderModel } from '../../src/model/graph/encoder-model.ts'
import { randomModel } from '../../src/model/random.ts'
import { encodePrompt } from '../../src/model/tokenizer/encode-chat.ts'
import { encodeForEncoder } from '../../src/model/tokenizer/encode-text.ts'
import { LocalParties } from '../../src/protections/shared/local/local-parties.ts'
import { modelPlans } from '../../src/protections/shared/session/model-plan.ts'
import { newFolder, smallConfigs, writeFolder } from '../../test/support/checkpoint-folder.ts'
import { localKeys } from '../../test/support/protocol/local-keys.ts'
import { agreement } from '../evaluate/agreement.ts'
import { hardened } from '../evaluate/hard-model.ts'
import { importModel } from './import-model.ts'

let root: string
beforeEach(() => {
  root = newFolder()
})
afterEach(() => rmSync(root, { recursive: true }))

const passages = Array.from(
  { length: 40 },
  (_, i) => `The ${i}th guest, Zoë, paid €${i * 7}; who knew? `,
).join('')

function importAndCalibrate(dir: string, what = 'blocks') {
  const calibrate = join(root, 'text.txt')
  writeFileSync(calibrate, passages)
  return importModel({ from: dir, out: join(root, 'bundle'), calibrate, private: what })
}

/** Another text than it was calibrated on, teacher-forced. */
async function expectAgreement(): Promise<void> {
  const bundle = await loadBundle(join(root, 'bundle'))
  const tokenizer = new Tokenizer(bundle.tokenizer, {})
  const said = 'Who paid? The guest, Zoë, knew nothing of the 14 euros.'
  const ids = encodePrompt(tokenizer, bundle.manifest, [{ role: 'user', content: said }])
  const result = await agreement(bundle, [ids], { tokens: 50, rows: 25, oracle: true })
  expect(result).toMatchObject({ tokens: 50, violations: 0, mismatches: 0 })
  expect(result.maxAbsError).toBeLessThan(0.05)
  expect(result.top1).toBeGreaterThanOrEqual(0.98)
  expect(Math.abs(result.perplexityChange)).toBeLessThan(0.01)
}

const wide: Partial<ModelConfig> = { dim: 32, ff: 48 }

test.each<[string, ModelConfig]>([
  [
    'LLaMA with an untied head and scaled rotation',
    {
      ...smallConfigs.llama,
      ...wide,
      tied: false,
      ropeScaling: { kind: 'llama3', factor: 4, low: 1, high: 4, original: 32 },
    },
  ],
  [
    'Phi-4-mini, whose heads turn in part by a factor for each pair',
    {
      ...smallConfigs.llama,
      ...wide,
      ...{ arch: 'phi3', rotaryDim: 6 },
      ropeScaling: {
        kind: 'longrope',
        factor: 4,
        original: 64,
        attention: 1.2,
        short: [1, 1.5, 2],
        long: [2, 4, 8],
      },
    },
  ],
  ['Qwen3', { ...smallConfigs.llama, ...wide, arch: 'qwen3', headDim: 12 }],
  ['GPT-2', { ...smallConfigs.gpt2, ...wide }],
])('%s', async (_, config) => {
  const dir = join(root, 'model')
  writeFolder(dir, { config, dtype: 'BF16', shards: 2 })
  await importAndCalibrate(dir)
  await expectAgreement()
})

test('Gemma 3 whose tensors are all private', async () => {
  const config: ModelConfig = {
    ...smallConfigs.llama,
    ...wide,
    ...{ arch: 'gemma3', activation: 'gelu_tanh', headDim: 12, scoreDim: 16 },
    localRotary: { theta: 1000, layers: [0] },
  }
  writeFolder(join(root, 'model'), { config, dtype: 'F32' })
  await importAndCalibrate(join(root, 'model'), 'all')
  await expectAgreement()
})

test('logits in the tens and outlier channels', async () => {
  const config: ModelConfig = { ...smallConfigs.llama, ...wide }
  const dir = join(root, 'model')
  const tensors = hardened(config, randomModel(config, 3), { gain: 4, outliers: 6, massive: 2 })
  writeFolder(dir, { config, tensors })
  const report = await importAndCalibrate(dir)
  // Values and feed-forward channels, and what reads them, in both layers.
  expect(report.balanced).toBeGreaterThanOrEqual(8)
  const scores = report.ranges!.filter(({ name }) => name === 'score').flatMap(({ measured }) => measured)
  expect(Math.max(...scores.map(Math.abs))).toBeGreaterThan(20)
  await expectAgreement()
})

test.each([
  ['bert', 'blocks'],
  ['bert', 'head'],
  ['roberta', 'blocks'],
  ['roberta', 'all'],
] as const)('%s with %s private', async (form, what) => {
  const config: ModelConfig = smallConfigs[form]
  writeFolder(join(root, 'model'), { config, dtype: 'F16' })
  await importAndCalibrate(join(root, 'model'), what)
  const { manifest, tensors, tokenizer } = await loadBundle(join(root, 'bundle'))
  const plans = modelPlans(manifest)
  const ends = new EncoderEnds(config, tensors, plans)
  const text = encodeForEncoder(new Tokenizer(tokenizer, {}), config, config.context, 'Zoë paid €14.')
  const { rows, padding } = ends.input(text)
  const parties = new LocalParties(plans.model, tensors, { keys: localKeys() })
  const trace = await parties.pass(0, rows, padding)
  expect(parties.oracle(trace).violations).toEqual([])
  const want = encoderModel(config, tensors).forward(text).logits!
  const got = form === 'bert' ? trace.released : ends.tokens(trace.released, text.ids.length)
  expect(got.length).toBe(want.length)
  expect(Math.max(...got.map((v, i) => Math.abs(v - want[i])))).toBeLessThan(0.05)
})
