import { describe, expect, it } from 'vitest'
import { localKeys } from '../../../../../test/support/protocol/local-keys.ts'
import { mismatches } from '../../../../../test/support/protocol/mismatches.ts'
import { tinyBert, tinyEncoder, tinyGpt2, tinyLlama } from '../../../../../test/support/protocol/models.ts'
import type { ModelConfig, Tensors } from '../../../../model/architectures/config.ts'
import { Ends } from '../../../../model/ends.ts'
import { floatModel } from '../../../../model/graph/decoder-model.ts'
import { encoderModel } from '../../../../model/graph/encoder-model.ts'
import { randomModel } from '../../../../model/random.ts'
import { planDealtBytes } from '../../cost.ts'
import { LocalParties } from '../../local/local-parties.ts'
import type { ModelSpec } from './block.ts'
import { calibrate } from './calibrate.ts'
import { compileModel } from './compile.ts'
import { FixedModel } from './fixed-model.ts'

const ids = [1, 5, 9, 33, 2, 44, 7, 8, 21, 40]

/** A random model whose queries, and so logits, are scaled. */
function model(config: ModelConfig, gain: number): Tensors {
  const tensors = randomModel(config, 7)
  for (const [name, { data }] of tensors) {
    if (/c_attn\.weight$/.test(name))
      for (let i = 0; i < data.length; i++) if (i % (3 * config.dim) < config.dim) data[i] *= gain
    if (/q_proj\.weight$/.test(name)) for (let i = 0; i < data.length; i++) data[i] *= gain
  }
  return tensors
}

const specOf = (config: ModelConfig, tensors: Tensors): ModelSpec => ({
  config,
  ranges: calibrate(config, tensors, [ids, ids.toReversed()]),
  visibility: () => 'private',
})

describe.each([
  ['a soft cap', { softcap: 2 }, 3, 16],
  ['a constant cap', { softmaxCap: 4 }, 0.2, 12],
  ['both caps', { softcap: 2, softmaxCap: 2 }, 3, 14],
  ["SPRINT's GELU", { activation: 'gelu_sprint' as const }, 3, 14],
  ["SPRINT's GELU and a constant cap", { activation: 'gelu_sprint' as const, softmaxCap: 4 }, 0.2, 12],
] as const)('%s', (_, options, gain, hopsALayer) => {
  it.for([
    ['gpt2', { ...tinyGpt2, ...options }],
    ['llama', { ...tinyLlama, ...options }],
  ] as const)('%s: equals the oracle bit for bit, and float', async ([, config], { annotate }) => {
    const tensors = model(config, gain)
    const parties = new LocalParties(new FixedModel(specOf(config, tensors)), tensors, { keys: localKeys() })
    const ends = new Ends(config, tensors)
    const float = floatModel(config, tensors)
    let base = 0
    let most = 0
    for (const part of [ids.slice(0, 7), [ids[7]], [ids[8]], [ids[9]]]) {
      const trace = await parties.pass(base, ends.embed(part, base))
      expect(mismatches(parties, trace)).toEqual([])
      expect(trace.schedule.hops).toBe(1 + hopsALayer * config.layers + 3)
      expect(trace.messages).toHaveLength(trace.schedule.messages.length)
      expect(trace.dealerBytes).toBe(planDealtBytes([trace.shape], trace.plan))
      const want = float.forward(part)
      const got = ends.logits(trace.released)
      want.forEach((v, i) => {
        most = Math.max(most, Math.abs(v - got[i]))
      })
      base += part.length
    }
    await annotate(`largest error of a logit ${most.toExponential(1)}`)
    expect(most).toBeLessThan(0.02)
  })
})

it("an encoder's caps leave padding out", async () => {
  const { config, tensors, model, ends } = tinyEncoder({ ...tinyBert, softcap: 2, softmaxCap: 2 }, 'private')
  const parties = new LocalParties(model, tensors, { keys: localKeys() })
  const text = { ids: [1, 17, 24] }
  const { rows, padding } = ends.input(text)
  const trace = await parties.pass(0, rows, padding)
  expect(mismatches(parties, trace)).toEqual([])
  const { logits } = encoderModel(config, tensors).forward(text)
  trace.released.forEach((v, i) => {
    expect(Math.abs(v - logits![i])).toBeLessThan(0.01)
  })
})

describe('a constant cap', () => {
  const config = { ...tinyGpt2, softmaxCap: 4 }
  const { ranges } = specOf(config, model(config, 0.2))

  it('is calibrated by the lowest row maximum', () => {
    for (const { peak, score } of ranges.layers) {
      expect(peak).toBeGreaterThan(score[0])
      expect(peak).toBeLessThan(score[1])
    }
  })

  it.each([-12, 20])('refuses rows that lie %d nats from the rest, and says so', (far) => {
    const layers = ranges.layers.map((l) => ({
      ...l,
      score: [Math.min(l.score[0], far * Math.LOG2E), Math.max(l.score[1], far * Math.LOG2E)] as [
        number,
        number,
      ],
      peak: Math.min(l.peak ?? 0, far * Math.LOG2E),
    }))
    expect(() =>
      compileModel({ config, ranges: { ...ranges, layers }, visibility: () => 'private' }, 4),
    ).toThrow(/constant cap 4 needs every row's largest logit near the largest of all/)
  })

  it('numbers its steps alike for every span', () => {
    const long = { ...config, context: 4096 }
    const plans = Array.from({ length: 10 }, (_, i) =>
      compileModel({ config: long, ranges, visibility: () => 'private' }, i + 3).steps.map((s) => s.op),
    )
    for (const ops of plans) expect(ops).toEqual(plans[0])
  })
})
