/**
 * Perfect hiding of the weights, given uniform keystreams: whatever the owner has seen of one model, there are server masks
 * under which a model with other private weights and equal public metadata looks the same, byte for byte, up to the
 * answer. (The server's and the dealer's views are in `equivocation.test.ts` and beside split custody.)
 */
import { describe, expect, it } from 'vitest'
import { createWasmKernels } from '../../src/kernels/wasm/kernels.ts'
import { compileModel } from '../../src/protections/shared/profiles/fixed/compile.ts'
import type { PlanOptions } from '../../src/protections/shared/profiles/profile.ts'
import { encode } from '../../src/protections/shared/ring.ts'
import { schedule } from '../../src/protections/shared/schedule.ts'
import { Run, solveServer } from '../support/protocol/equivocation.ts'
import { type Privacy, tinyGpt2, tinyLlama } from '../support/protocol/models.ts'
import { twins } from '../support/protocol/twins.ts'

const kernels = createWasmKernels()
const shapes = [
  { base: 0, rows: 3, serial: 0 },
  { base: 3, rows: 1, serial: 9 },
  // A turn edited: position 2 on is replaced.
  { base: 2, rows: 2, serial: 12 },
]

const cases: [string, typeof tinyLlama, Privacy, PlanOptions][] = [
  ['llama, private', tinyLlama, 'private', {}],
  ['llama, private, few bytes', tinyLlama, 'private', { goal: 'bytes' }],
  ['gpt2, private', tinyGpt2, 'private', {}],
  ['llama, split', tinyLlama, 'split', {}],
  ['llama, half public', tinyLlama, 'mixed', {}],
  ['gpt2, half public', tinyGpt2, 'mixed', {}],
  ['llama, half public and split', tinyLlama, 'mixed split', {}],
  ['gpt2, half public and split', tinyGpt2, 'mixed split', {}],
]

describe.each(cases)('%s', (_, config, privacy, options) => {
  const [first, second] = twins({ ...config, layers: 1 }, privacy)
  const plan = compileModel(first.spec, 3, options)
  const s = schedule(plan)
  const release = plan.steps.findIndex((step) => step.op === 'release')

  it('the twins have other private weights, and the same public ones', () => {
    const known = [first, second].map(({ model, tensors }) => model.loadWeights(kernels, tensors, ['public']))
    expect(known[1].encoded).toEqual(known[0].encoded)
    expect(known[1].biases).toEqual(known[0].biases)
    expect(known[0].encoded.size > 0).toBe(privacy.startsWith('mixed'))
    const all = [first, second].map(({ model, tensors }) => model.loadWeights(kernels, tensors, ['private']))
    for (const [name, weight] of all[0].encoded) expect(all[1].encoded.get(name)).not.toEqual(weight)
  })

  it('an owner that asked one model may have asked another, but for the answer', () => {
    const [seen, other, scratch, plain] = [
      new Run(first, plan),
      new Run(second, plan),
      new Run(second, plan),
      new Run(second, plan),
    ]
    const { ring, scale } = first.model.input
    for (const shape of shapes) {
      const real = first.ends.embed([4, 11, 7].slice(0, shape.rows), shape.base)
      const input = encode(real, ring, scale.bits)
      const a = seen.pass(plan, s, shape, input)
      solveServer(other, scratch, s, a)
      const b = other.pass(plan, s, shape, input)
      // All that the owner receives and says, and whatever it makes of that, until the answer.
      s.messages.forEach(({ steps }, i) => {
        if (steps.some(({ id }) => id === release)) return
        expect(b.messages[i]).toEqual(a.messages[i])
      })
      for (const { id } of plan.steps.slice(0, release))
        expect(b.owner.result(id)).toEqual(a.owner.result(id))
      // It was the other model, and it answered as it does under any masks, but for the rounding of shares.
      expect(b.owner.result(release)).not.toEqual(a.owner.result(release))
      const want = plain.pass(plan, s, shape, input).owner.result(release)
      const limit = 1n << BigInt(plan.steps[release].out.scale.bits - 4)
      b.owner.result(release).forEach((v, i) => {
        const off = BigInt.asIntN(plan.steps[release].out.ring, BigInt(v) - BigInt(want[i]))
        expect(off < limit && off > -limit).toBe(true)
      })
    }
  })

  it('under the same masks the owner would tell the models apart', () => {
    const { ring, scale } = first.model.input
    const input = encode(first.ends.embed([4, 11, 7], 0), ring, scale.bits)
    const [a, b] = [first, second].map((model) => new Run(model, plan).pass(plan, s, shapes[0], input))
    expect(b.messages.slice(0, -1)).not.toEqual(a.messages.slice(0, -1))
  })
})
