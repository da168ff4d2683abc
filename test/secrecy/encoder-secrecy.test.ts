/**
 * What an encoder's text shows: its bucket. Texts of other lengths in it could have looked the same byte for byte, all
 * that crosses a wire is uniform, and where the padding is changes neither messages nor results.
 */

import { describe, expect, it } from 'vitest'
import { widened } from '../../src/kernels/lanes.ts'
import type { EncoderEnds } from '../../src/model/encoder-ends.ts'
import { encoderModel } from '../../src/model/graph/encoder-model.ts'
import type { TextInput } from '../../src/model/graph/interpret.ts'
import { planDealtBytes } from '../../src/protections/shared/cost.ts'
import { LocalParties } from '../../src/protections/shared/local/local-parties.ts'
import { encodeInput } from '../../src/protections/shared/profiles/input-type.ts'
import { sub, toFloats } from '../../src/protections/shared/ring.ts'
import { messageBytes, schedule } from '../../src/protections/shared/schedule.ts'
import { HEAD_BYTES } from '../../src/protections/shared/session/material-stream.ts'
import { decodePass } from '../../src/protections/shared/session/pass-messages.ts'
import { likeness } from '../support/likeness.ts'
import { capturedMaterial, capturedMessages } from '../support/protocol/capture.ts'
import { Run, solve } from '../support/protocol/equivocation.ts'
import { Kinds, nameOf } from '../support/protocol/kinds.ts'
import { localKeys } from '../support/protocol/local-keys.ts'
import { lowbitEncoder, tinyRmsBert } from '../support/protocol/lowbit.ts'
import { type AnyTiny, tinyBert, tinyEncoder, tinyRoberta } from '../support/protocol/models.ts'
import { fixedKeys, WatchedSession } from '../support/protocol/session.ts'

const config = { ...tinyBert, dim: 16, heads: 2, kvHeads: 2, ff: 24, layers: 1 }
const quantized = { ...tinyRmsBert, layers: 1 }
/** A model that reads whole texts. */
type Encoder = AnyTiny & { readonly ends: EncoderEnds }
const text = (n: number): TextInput => ({
  ids: Array.from({ length: n }, (_, i) => (i === 0 ? 1 : (11 * i + n) % config.vocab)),
  types: Array.from({ length: n }, (_, i) => Number(i > n / 2)),
})

/** Whether results are the float model's, as far as a profile can tell. */
type IsRight = (got: Float64Array, want: ArrayLike<number>) => boolean
const isClose: IsRight = (got, want) => Math.max(...got.map((v, i) => Math.abs(v - want[i]))) < 0.02
const isLike: IsRight = (got, want) => likeness(got, want) > 0.85

describe.each<[string, Encoder, IsRight]>([
  ['private', tinyEncoder(config), isClose],
  ['half of it public', tinyEncoder(config, 'mixed'), isClose],
  ['public', tinyEncoder(config, 'public'), isClose],
  ['split', tinyEncoder(config, 'split'), isClose],
  ['quantized', lowbitEncoder(quantized), isLike],
  ['quantized, split', lowbitEncoder(quantized, { isSplit: true, scales: 'private' }), isLike],
])('%s', (_, model, isRight) => {
  const { ends } = model
  const shape = model.model.shapeOf({ base: 0, rows: 16, serial: 3 })
  const plan = model.model.variant(shape).compile()
  const s = schedule(plan)

  it('a server that saw a short text may have seen a long one', () => {
    const [a, b] = [text(3), text(15)].map((t) => {
      const { rows, padding } = ends.input(t)
      return { input: encodeInput(model.model.input, rows), padding }
    })
    const [seen, other, scratch] = [0, 1, 2].map(() => new Run(model, plan))
    seen.padding = a.padding
    other.padding = b.padding
    scratch.padding = b.padding
    const one = seen.pass(plan, s, shape, a.input)
    solve(other, scratch, s, one, b.input)
    const two = other.pass(plan, s, shape, b.input)
    // All that the server receives, from owner and dealer, and what it answers.
    expect(two.messages).toEqual(one.messages)
    for (const [id, bytes] of one.corrections) expect(two.corrections.get(id)).toEqual(bytes)
    for (const { id } of plan.steps) expect(two.server.result(id)).toEqual(one.server.result(id))
    // And still the owner has the long text's own result.
    const { out } = plan.steps[plan.steps.length - 1]
    const got = toFloats(two.owner.result(out.step), out.ring, out.scale.bits)
    const want = encoderModel(model.config, model.tensors).forward(text(15)).logits
    expect(isRight(got, want ?? [])).toBe(true)
    expect(one.owner.result(out.step)).not.toEqual(two.owner.result(out.step))
  })
})

it.each<[string, Encoder]>([
  ['an encoder', tinyEncoder(config)],
  ['a quantized encoder', lowbitEncoder(quantized)],
])(
  '%s leaves nothing but uniform words on all wires, and as many of them for every text of a bucket',
  async (_, model) => {
    const kinds = new Kinds()
    const dealt = new Kinds()
    const repeats = new Kinds()
    const sizes = new Set<string>()
    const shape = model.model.shapeOf({ base: 0, rows: 16, serial: 0 })
    for (let n = 0; n < 6; n++) {
      const session = new WatchedSession(model, fixedKeys(300 + n))
      for (const t of [text(2), text(14)]) {
        const { rows, padding } = model.ends.input(t)
        await session.owner.run(0, rows, { padding, next: 16 })
      }
      await session.owner.drop()
      const { schedule: declared } = session.plans.of(shape)
      for (const pass of [1, 2]) {
        const said = session.wire.map(({ bytes }) => decodePass(bytes)).filter((m) => m.pass === pass)
        const payloads = said.map((m) => (m.kind === 'begin' || m.kind === 'data' ? m.payload.length : 0))
        expect(said.filter((m) => m.kind === 'data')).toHaveLength(declared.hops)
        expect(payloads).toEqual(declared.messages.map((m) => messageBytes(shape, m)))
        expect(session.dealt[pass - 1].reduce((sum, chunk) => sum + chunk.length, 0)).toBe(
          HEAD_BYTES + planDealtBytes([shape], session.plans.of(shape).plan),
        )
      }
      const captured = capturedMessages(session)
      for (const c of captured) kinds.add(nameOf(c), c.bits, c.lanes)
      for (const c of captured.filter((x) => x.pass === 2)) {
        const before = captured.find((x) => x.pass === 1 && x.step.id === c.step.id && x.who === c.who)
        if (before) repeats.add(nameOf(c), c.bits, sub(c.lanes, before.lanes, c.bits))
      }
      if (n < 2) for (const c of capturedMaterial(session)) dealt.add(nameOf(c), c.bits, c.lanes)
      for (const pass of [1, 2])
        sizes.add(
          captured
            .filter((c) => c.pass === pass)
            .map((c) => `${nameOf(c)} ${c.lanes.length}`)
            .join(),
        )
      await session.link.close()
    }
    expect(sizes.size).toBe(1)
    for (const family of [kinds, repeats, dealt]) {
      const { tested, uneven } = family.suspects(1e-4)
      expect(tested).toBeGreaterThan(20)
      expect(uneven).toEqual([])
    }
  },
)

describe('padding', () => {
  const model = tinyEncoder(tinyRoberta)
  const { ends, tensors } = model
  const { width } = model.model.input
  const t = { ids: [1, 7, 30, 12, 2] }

  /** Runs the text with copies of its row `from(r)` as padding. */
  async function logits(from: (r: number) => number): Promise<{ logits: Float64Array; weights: bigint[] }> {
    const parties = new LocalParties(model.model, tensors, { keys: localKeys() })
    const { rows, padding } = ends.input(t)
    padding.forEach((isPadding, r) => {
      if (isPadding) rows.copyWithin(r * width, from(r) * width, (from(r) + 1) * width)
    })
    const trace = await parties.pass(0, rows, padding)
    const { pass, violations } = parties.oracle(trace)
    expect(violations).toEqual([])
    // What the exponential made of padded positions, in the first layer: every row's, every head's.
    const step = trace.plan.steps.find((x) => x.op === 'exponential')
    const { id = 0, out } = step ?? {}
    const powers = widened(pass.result(trace.plan.steps[id + 1].id))
    const heads = out?.width ?? 0
    const weights = [...powers].filter((_, i) => padding[Math.floor(i / heads) % padding.length] === 1)
    return { logits: trace.released, weights }
  }

  it('weighs exactly nothing, whichever rows it copies', async () => {
    const a = await logits(() => 15)
    const b = await logits((r) => r % 4)
    for (const { weights } of [a, b]) {
      expect(weights.length).toBe(11 * 16 * tinyRoberta.heads)
      expect(weights.every((w) => w === 0n)).toBe(true)
    }
    a.logits.forEach((v, i) => {
      expect(Math.abs(v - b.logits[i])).toBeLessThan(0.005)
    })
  })

  it('to a larger bucket changes nothing but rounding', async () => {
    const parties = new LocalParties(model.model, tensors, { keys: localKeys() })
    const results: Float64Array[] = []
    for (const bucket of [16, 32]) {
      const { rows, padding } = ends.input(t)
      const more = new Float64Array(bucket * width)
      more.set(rows.subarray(0, 4 * width))
      for (let r = 4; r < bucket; r++) more.set(rows.subarray(15 * width), r * width)
      const mask = Uint8Array.from({ length: bucket }, (_, r) => Number(r >= 4 && r < bucket - 1))
      expect(bucket === 16 ? [padding, rows] : [mask, more]).toEqual([mask, more])
      results.push((await parties.pass(0, more, mask)).released)
    }
    results[0].forEach((v, i) => {
      expect(Math.abs(v - results[1][i])).toBeLessThan(0.005)
    })
  })
})
