/** Forms of decoders: private inference equals the integer oracle bit for bit, and the form's own twin closely. */

import { describe, expect, it } from 'vitest'
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { LocalParties } from '../../src/protections/shared/local/local-parties.ts'
import { ModelPlans } from '../../src/protections/shared/session/model-plan.ts'
import { localKeys } from '../support/protocol/local-keys.ts'
import { mismatches } from '../support/protocol/mismatches.ts'
import { type Privacy, tinyLlama, tinyModel } from '../support/protocol/models.ts'
import { twinLogits } from '../twins/decoders.ts'

const yarn = { factor: 4, original: 32, fast: 4, slow: 1, truncate: true, attention: 1.14 }
const long = { factor: 4, original: 32, attention: 1.18, short: [1, 1.2], long: [1.5, 3.5] }

const gemma = { activation: 'gelu_tanh', headDim: 6 } as const

const cases: [string, ModelConfig, Privacy][] = [
  ['llama with wide heads', { ...tinyLlama, headDim: 6 }, 'mixed'],
  ['llama stretched by YaRN', { ...tinyLlama, ropeScaling: { kind: 'yarn', ...yarn } }, 'private'],
  [
    'phi3 stretched by LongRoPE',
    { ...tinyLlama, arch: 'phi3', ropeScaling: { kind: 'longrope', ...long } },
    'private',
  ],
  ['qwen2', { ...tinyLlama, arch: 'qwen2' }, 'private'],
  ['qwen2 in pieces', { ...tinyLlama, arch: 'qwen2' }, 'split'],
  ['qwen3 with wide heads', { ...tinyLlama, arch: 'qwen3', headDim: 6 }, 'private'],
  ['qwen3, half of it public', { ...tinyLlama, arch: 'qwen3' }, 'mixed'],
  ['qwen3 in pieces', { ...tinyLlama, arch: 'qwen3' }, 'split'],
  ['gemma', { ...tinyLlama, ...gemma, arch: 'gemma' }, 'mixed'],
  ['gemma 2', { ...tinyLlama, ...gemma, arch: 'gemma2', softcap: 5, logitCap: 4, scoreDim: 20 }, 'private'],
  ['gemma 3', { ...tinyLlama, ...gemma, arch: 'gemma3', localRotary: { theta: 100, layers: [0] } }, 'mixed'],
  ['gemma 3 in pieces', { ...tinyLlama, ...gemma, arch: 'gemma3' }, 'split'],
  ['stablelm 2', { ...tinyLlama, arch: 'stablelm-2', rotaryDim: 2 }, 'mixed'],
  [
    'phi3 whose heads turn in part, stretched',
    { ...tinyLlama, arch: 'phi3', headDim: 6, rotaryDim: 4, ropeScaling: { kind: 'longrope', ...long } },
    'private',
  ],
  ['phi3, half of it public', { ...tinyLlama, arch: 'phi3' }, 'mixed'],
]

describe.each(cases)('%s', (_, config, privacy) => {
  it('equals the oracle over a prompt and cached steps, and its twin closely', async () => {
    const { model, tensors, ends } = tinyModel(config, privacy)
    const parties = new LocalParties(model, tensors, { keys: localKeys() })
    const ids = [1, 5, 9, 33, 2, 17, 40]
    const expected = twinLogits(config, tensors, ids)
    for (const [base, end] of [
      [0, 4],
      [4, 5],
      [5, 6],
      [6, 7],
    ]) {
      const trace = await parties.pass(base, ends.embed(ids.slice(base, end), base))
      expect(mismatches(parties, trace)).toEqual([])
      const got = ends.logits(trace.released)
      const want = expected.slice((end - 1) * config.vocab, end * config.vocab)
      expect(Math.max(...want.map((v, i) => Math.abs(v - got[i])))).toBeLessThan(0.02)
    }
  })
})

it.each([
  ['llama', {}, 14],
  ['qwen3', {}, 18],
  ['gemma', gemma, 14],
  ['gemma2', gemma, 22],
  ['gemma3', gemma, 26],
])('a layer of %s takes messages by its norms', (arch, change, expected) => {
  const messages = (layers: number): number => {
    const { model } = tinyModel({ ...tinyLlama, ...change, arch, layers }, 'private')
    return new ModelPlans(model).of({ base: 0, rows: 1 }).schedule.messages.length
  }
  expect(messages(2) - messages(1)).toBe(expected)
})
