/** Models whose private weights are split among the three parties. */

import { describe, expect, it } from 'vitest'
import { Ends } from '../../src/model/ends.ts'
import { floatModel } from '../../src/model/graph/decoder-model.ts'
import { randomModel } from '../../src/model/random.ts'
import { LocalParties } from '../../src/protections/shared/local/local-parties.ts'
import type { ModelSpec } from '../../src/protections/shared/profiles/fixed/block.ts'
import { calibrate } from '../../src/protections/shared/profiles/fixed/calibrate.ts'
import { compileModel } from '../../src/protections/shared/profiles/fixed/compile.ts'
import { FixedModel } from '../../src/protections/shared/profiles/fixed/fixed-model.ts'
import { inputType } from '../../src/protections/shared/profiles/fixed/owner-input.ts'
import { schedule } from '../../src/protections/shared/schedule.ts'
import { splitPieces, splitWeights } from '../../src/protections/shared/weights/split.ts'
import { privateWeights } from '../../src/protections/shared/weights/stationary.ts'
import { localKeys } from '../support/protocol/local-keys.ts'
import { mismatches } from '../support/protocol/mismatches.ts'
import { type Privacy, tinyGpt2, tinyLlama, tinyModel } from '../support/protocol/models.ts'

describe.each([
  ['llama', tinyLlama, 'split', {}],
  ['llama, few bytes', tinyLlama, 'split', { goal: 'bytes' }],
  ['llama, half of it public', tinyLlama, 'mixed split', {}],
  ['gpt2, with biases', tinyGpt2, 'split', {}],
] as const)('%s', (_, config, privacy, options) => {
  it('equals the oracle bit for bit, and the float model closely, over prefill and cached steps', async () => {
    const { model, tensors, ends } = tinyModel(config, privacy as Privacy)
    const parties = new LocalParties(model, tensors, { keys: localKeys(), compile: options })
    const float = floatModel(config, tensors)
    let base = 0
    for (const part of [[1, 5, 9, 33, 2], [7], [21, 40], [3]]) {
      const trace = await parties.pass(base, ends.embed(part, base))
      expect(mismatches(parties, trace)).toEqual([])
      const want = float.forward(part)
      const got = ends.logits(trace.released)
      expect(Math.max(...got.map((v, i) => Math.abs(v - want[i])))).toBeLessThan(0.02)
      base += part.length
    }
  })
})

it('private ends are split like everything else', async () => {
  const config = { ...tinyGpt2, layers: 1 }
  const tensors = randomModel(config, 11)
  const ids = [3, 14, 15, 9, 26, 5]
  const spec: ModelSpec = {
    config,
    ranges: calibrate(config, tensors, [ids]),
    visibility: () => 'private',
    ends: { embed: 'private', head: 'private' },
    custody: 'split',
  }
  const plan = compileModel(spec, 4)
  expect(splitWeights(plan).map((w) => w.name)).toEqual([
    '1.embed',
    '0.qkv',
    '0.out',
    '0.up',
    '0.down',
    '1.head',
  ])
  expect(privateWeights(plan)).toEqual([])
  const parties = new LocalParties(new FixedModel(spec), tensors, { keys: localKeys() })
  const ends = new Ends(config, new Map(), { isPrivate: () => true, inputWidth: inputType(spec).width })
  const trace = await parties.pass(0, ends.embed(ids, 0))
  expect(mismatches(parties, trace)).toEqual([])
  const want = floatModel(config, tensors).forward(ids)
  const got = ends.logits(trace.released)
  expect(Math.max(...want.map((v, i) => Math.abs(v - got[i])))).toBeLessThan(0.05)
})

describe('cost', () => {
  // Hops of 1, 2, 3 and 4 layers: 17 a layer on average, since messages go in turns.
  it.each([
    [tinyLlama, {}, [22, 38, 56, 72]],
    [tinyLlama, { goal: 'bytes' }, [22, 40, 58, 76]],
    [tinyGpt2, {}, [22, 38, 56, 72]],
  ] as const)('%#: hops are as declared', (config, options, hops) => {
    const got = hops.map((_, i) => {
      const { spec } = tinyModel({ ...config, layers: i + 1 }, 'split')
      return schedule(compileModel(spec, 4, options)).hops
    })
    expect(got).toEqual(hops)
  })

  it('nothing depends on the plan but the pieces’ lengths: the same in every plan of a model', () => {
    const { spec } = tinyModel(tinyGpt2, 'split')
    const plans = [3, 5, 7].flatMap((bits) =>
      [{}, { goal: 'bytes' as const }, { everyRow: true }].map((options) =>
        compileModel(spec, bits, options),
      ),
    )
    for (const plan of plans) expect(splitPieces(plan)).toEqual(splitPieces(plans[0]))
    expect(splitPieces(plans[0])).toHaveLength(16)
  })
})
