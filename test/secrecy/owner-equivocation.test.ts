/**
 * Perfect hiding of the weights, given uniform keystreams: whatever the owner has seen of one model, there are server masks
 * under which a model with other private weights and equal public metadata looks the same, byte for byte, up to the
 * answer. (The server's and the dealer's views are in `equivocation.test.ts` and beside split custody.)
 */
import { describe, expect, it } from 'vitest'
import { encodeInput } from '../../src/protections/shared/profiles/input-type.ts'
import type { PlanOptions } from '../../src/protections/shared/profiles/profile.ts'
import { schedule } from '../../src/protections/shared/schedule.ts'
import { Run, solveServer } from '../support/protocol/equivocation.ts'
import { lowbitTwins, tinyParallel } from '../support/protocol/lowbit.ts'
import { type TinyDecoder, tinyGpt2, tinyLlama } from '../support/protocol/models.ts'
import { twins } from '../support/protocol/twins.ts'

const shapes = [
  { base: 0, rows: 3, serial: 0 },
  { base: 3, rows: 1, serial: 9 },
  // A turn edited: position 2 on is replaced.
  { base: 2, rows: 2, serial: 12 },
]

const [llama, gpt2, parallel] = [tinyLlama, tinyGpt2, tinyParallel].map((c) => ({ ...c, layers: 1 }))
/** Two models, what their plan is made for, and by how much shares' rounding may move an answer. */
const cases: [string, [TinyDecoder, TinyDecoder], PlanOptions, rounding: number][] = [
  ['llama, private', twins(llama, 'private'), {}, 2 ** -4],
  ['llama, private, few bytes', twins(llama, 'private'), { goal: 'bytes' }, 2 ** -4],
  ['gpt2, private', twins(gpt2, 'private'), {}, 2 ** -4],
  ['llama, split', twins(llama, 'split'), {}, 2 ** -4],
  ['llama, half public', twins(llama, 'mixed'), {}, 2 ** -4],
  ['gpt2, half public', twins(gpt2, 'mixed'), {}, 2 ** -4],
  ['llama, half public and split', twins(llama, 'mixed split'), {}, 2 ** -4],
  ['gpt2, half public and split', twins(gpt2, 'mixed split'), {}, 2 ** -4],
  ['quantized', lowbitTwins(parallel, { scales: 'private' }), {}, 1],
  ['quantized, split', lowbitTwins(parallel, { isSplit: true }), {}, 1],
]

describe.each(cases)('%s', (name, [first, second], options, rounding) => {
  const plan = first.model.variant(shapes[0], options).compile()
  const s = schedule(plan)
  const release = plan.steps.length - 1

  it('the twins have other private weights, and the same public ones', () => {
    const encoded = (of: 'public' | 'private') =>
      [first, second].map(({ model, tensors }) => [...model.encode(tensors, [of])])
    const known = encoded('public')
    expect(known[1]).toEqual(known[0])
    expect(known[0].length > 0).toBe(name.includes('half public'))
    const [of, other] = encoded('private')
    for (const [i, { data }] of of.entries()) expect(other[i].data).not.toEqual(data)
  })

  it('an owner that asked one model may have asked another, but for the answer', () => {
    const [seen, other, scratch, plain] = [
      new Run(first, plan),
      new Run(second, plan),
      new Run(second, plan),
      new Run(second, plan),
    ]
    for (const shape of shapes) {
      const real = first.ends.embed([4, 11, 7].slice(0, shape.rows), shape.base)
      const input = encodeInput(first.model.input, real)
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
      const limit = BigInt(rounding * 2 ** plan.steps[release].out.scale.bits)
      b.owner.result(release).forEach((v, i) => {
        const off = BigInt.asIntN(plan.steps[release].out.ring, BigInt(v) - BigInt(want[i]))
        expect(off < limit && off > -limit).toBe(true)
      })
    }
  })

  it('under the same masks the owner would tell the models apart', () => {
    const input = encodeInput(first.model.input, first.ends.embed([4, 11, 7], 0))
    const [a, b] = [first, second].map((model) => new Run(model, plan).pass(plan, s, shapes[0], input))
    expect(b.messages.slice(0, -1)).not.toEqual(a.messages.slice(0, -1))
  })
})
