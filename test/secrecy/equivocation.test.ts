/**
 * Perfect hiding, given uniform keystreams: whatever the server has seen of one input, there are owner keystreams under
 * which another input looks the same, byte for byte, and still gets its own right answer.
 */
import { describe, expect, it } from 'vitest'
import { createWasmKernels } from '../../src/kernels/wasm/kernels.ts'
import { RowCache } from '../../src/protections/shared/cache.ts'
import { encodeInput } from '../../src/protections/shared/profiles/input-type.ts'
import type { PlanOptions } from '../../src/protections/shared/profiles/profile.ts'
import type { Lanes } from '../../src/protections/shared/ring.ts'
import { OraclePass } from '../../src/protections/shared/runners/oracle.ts'
import { schedule } from '../../src/protections/shared/schedule.ts'
import { loadWeights } from '../../src/protections/shared/weights/held.ts'
import { Run, solve } from '../support/protocol/equivocation.ts'
import { lowbitDecoder, tinyParallel } from '../support/protocol/lowbit.ts'
import { type TinyDecoder, tinyGpt2, tinyLlama, tinyModel } from '../support/protocol/models.ts'
import { fixedKeys, WatchedSession } from '../support/protocol/session.ts'

const kernels = createWasmKernels()
const shapes = [
  { base: 0, rows: 3, serial: 0 },
  { base: 3, rows: 1, serial: 9 },
  // A turn edited: position 2 on is replaced.
  { base: 2, rows: 2, serial: 12 },
]

const inputs = (model: TinyDecoder, ids: number[], scale: number): Lanes[] =>
  shapes.map(({ base, rows }) => {
    const part = Array.from({ length: rows }, (_, r) => ids[(base + r) % ids.length])
    const real = model.ends.embed(part, base).map((v) => v * scale)
    return encodeInput(model.model.input, real)
  })

const [llama, gpt2, parallel] = [tinyLlama, tinyGpt2, tinyParallel].map((c) => ({ ...c, layers: 1 }))
/** A model, what its plan is made for, and how many times an ordinary input its ranges hold. */
const cases: [string, TinyDecoder, PlanOptions, headRoom: number][] = [
  ['llama, private', tinyModel(llama), {}, 1.4],
  ['llama, private, few bytes', tinyModel(llama), { goal: 'bytes' }, 1.4],
  ['llama, half of it public', tinyModel(llama, 'mixed'), {}, 1.4],
  ['gpt2, private', tinyModel(gpt2), {}, 1.4],
  ['gpt2, public', tinyModel(gpt2, 'public'), {}, 1.4],
  ['llama, split', tinyModel(llama, 'split'), {}, 1.4],
  ['gpt2, half of it split', tinyModel(gpt2, 'mixed split'), {}, 1.4],
  ['quantized', lowbitDecoder({ ...parallel, layers: 2 }, { scales: 'private' }), {}, 1.1],
  ['quantized, with SiLU', lowbitDecoder({ ...parallel, activation: 'silu' }), {}, 1.1],
  ['quantized, split', lowbitDecoder(parallel, { isSplit: true }), {}, 1.1],
]

describe.each(cases)('%s', (_, model, options, headRoom) => {
  const plan = model.model.variant(shapes[0], options).compile()
  const s = schedule(plan)
  const first = inputs(model, [1, 2, 3, 4, 5], 1)

  it.each([
    ['another conversation', inputs(model, [40, 7, 7, 21, 30], 1)],
    ['nothing but zeros', inputs(model, [0], 0)],
    ['the largest values', inputs(model, [9, 33, 2, 11, 47], headRoom)],
  ])('a server that saw one input may have seen %s', (_name, second) => {
    const [seen, other, scratch] = [new Run(model, plan), new Run(model, plan), new Run(model, plan)]
    const { weights, biases } = loadWeights(kernels, model.model.encode(model.tensors, ['public', 'private']))
    const cache = new RowCache(64)
    shapes.forEach((shape, n) => {
      const a = seen.pass(plan, s, shape, first[n])
      solve(other, scratch, s, a, second[n])
      const b = other.pass(plan, s, shape, second[n])
      // All that the server receives, from owner and dealer, and what it answers.
      expect(b.messages).toEqual(a.messages)
      expect([...b.corrections.keys()]).toEqual([...a.corrections.keys()])
      for (const [id, bytes] of a.corrections) expect(b.corrections.get(id)).toEqual(bytes)
      for (const { id } of plan.steps) expect(b.server.result(id)).toEqual(a.server.result(id))
      // And still it was the other input, computed rightly.
      const dealer = other.dealer(plan, shape)
      const plain = new OraclePass(plan, shape, {
        kernels,
        weights,
        biases,
        cache,
        input: second[n],
        ownerShare: (value) => b.owner.get(value),
        mask: (value) => dealer.mask(value),
        serverMask: (value) => dealer.serverMask(value),
      })
      const want = plain.run()
      expect(b.owner.result(plan.steps.length - 1)).toEqual(want)
      expect(b.owner.result(plan.steps.length - 1)).not.toEqual(a.owner.result(plan.steps.length - 1))
    })
  })
})

it('what the dealer is asked, and what it deals, has nothing to do with the input', async () => {
  const model = tinyModel({ ...tinyLlama, layers: 1 })
  const logs = []
  for (const ids of [
    [1, 2, 3, 4],
    [40, 40, 7, 0],
  ]) {
    const session = new WatchedSession(model, fixedKeys(9))
    await session.owner.run(0, model.ends.embed(ids.slice(0, 3), 0), { next: true })
    await session.owner.run(3, model.ends.embed(ids.slice(3), 3))
    logs.push({ requests: session.requests, dealt: session.dealt })
  }
  expect(logs[0].requests.length).toBe(2)
  expect(logs[1]).toEqual(logs[0])
})
