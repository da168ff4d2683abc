import { describe, expect, it } from 'vitest'
import { widened } from '../../src/kernels/lanes.ts'
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { Ends } from '../../src/model/ends.ts'
import { floatModel } from '../../src/model/graph/decoder-model.ts'
import { randomModel } from '../../src/model/random.ts'
import { LocalParties, type PassTrace } from '../../src/protections/shared/local/local-parties.ts'
import type { ModelSpec } from '../../src/protections/shared/profiles/fixed/block.ts'
import { calibrate } from '../../src/protections/shared/profiles/fixed/calibrate.ts'
import { compileModel } from '../../src/protections/shared/profiles/fixed/compile.ts'
import { FixedModel } from '../../src/protections/shared/profiles/fixed/fixed-model.ts'
import { inputType } from '../../src/protections/shared/profiles/fixed/owner-input.ts'
import { maskOf } from '../../src/protections/shared/ring.ts'
import { localKeys } from '../support/protocol/local-keys.ts'
import { decoderTwin } from '../twins/decoders.ts'

const llama: ModelConfig = {
  arch: 'llama',
  vocab: 64,
  dim: 32,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  ff: 48,
  eps: 1e-5,
  context: 64,
  ropeTheta: 10000,
  activation: 'silu',
  tied: true,
}
const gpt2: ModelConfig = { ...llama, arch: 'gpt2', kvHeads: 4, activation: 'gelu', ropeTheta: undefined }

/** Every shared value must add up to the oracle's, every public one must equal it, bit for bit. */
function mismatches(parties: LocalParties, trace: PassTrace): string[] {
  const { pass, violations } = parties.oracle(trace)
  const wrong: string[] = violations.map((v) => `${v.op} ${v.step}: ${v.what}`)
  for (const step of trace.plan.steps) {
    if (step.out.kind !== 'share') continue
    const own = widened(trace.owner.result(step.id))
    const other = widened(trace.server.result(step.id))
    const plain = widened(pass.result(step.id))
    const m = maskOf(step.out.ring)
    let bad = 0
    for (let i = 0; i < plain.length; i++) if (((own[i] + other[i]) & m) !== (plain[i] & m)) bad++
    if (bad > 0 || own.length !== plain.length) wrong.push(`${step.op} ${step.id}: ${bad} of ${plain.length}`)
  }
  return wrong
}

describe.each([
  ['llama, private', llama, 'private' as const, {}, 1 + 14 * 2 + 3],
  ['llama, private, few bytes', llama, 'private' as const, { goal: 'bytes' as const }, 1 + 16 * 2 + 3],
  ['llama, private, every row', llama, 'private' as const, { everyRow: true }, 1 + 14 * 2 + 3],
  ['llama, public', llama, 'public' as const, {}, 1 + 14 * 2 + 3],
  ['gpt2, private', gpt2, 'private' as const, {}, 1 + 14 * 2 + 3],
])('%s', (_, config, visibility, options, hops) => {
  it('equals the oracle bit for bit and the float model closely, over prefill and cached steps', async () => {
    const tensors = randomModel(config, 7)
    const ids = [1, 5, 9, 33, 2, 60, 7, 8, 21, 40]
    const spec: ModelSpec = {
      config,
      ranges: calibrate(config, tensors, [ids]),
      visibility: () => visibility,
    }
    const parties = new LocalParties(new FixedModel(spec), tensors, { keys: localKeys(), compile: options })
    let nf = new Float64Array()
    const float = floatModel(config, tensors, (name, _l, values) => {
      if (name === 'final-normalised') nf = values.slice()
    })
    const ends = new Ends(config, tensors)
    let base = 0
    for (const part of [ids.slice(0, 7), [ids[7]], [ids[8]], [ids[9]]]) {
      const trace = await parties.pass(base, ends.embed(part, base))
      expect(trace.schedule.hops).toBe(hops)
      expect(mismatches(parties, trace)).toEqual([])
      float.forward(part)
      const want = nf.subarray(nf.length - config.dim)
      let error = 0
      for (let i = 0; i < config.dim; i++)
        error = Math.max(error, Math.abs(trace.released[trace.released.length - config.dim + i] - want[i]))
      expect(error).toBeLessThan(0.02)
      base += part.length
    }
  })
})

it.each([
  ['llama', llama],
  ['gpt2', gpt2],
])('%s with private embedding and head takes one-hots and releases logits', async (_, config) => {
  const tensors = randomModel(config, 11)
  const ids = [3, 14, 15, 9, 26, 5]
  const spec: ModelSpec = {
    config,
    ranges: calibrate(config, tensors, [ids]),
    visibility: () => 'private',
    ends: { embed: 'private', head: 'private' },
  }
  const parties = new LocalParties(new FixedModel(spec), tensors, { keys: localKeys() })
  const ends = new Ends(config, new Map(), { isPrivate: () => true, inputWidth: inputType(spec).width })
  const twin = decoderTwin(config, tensors)
  let base = 0
  for (const part of [ids.slice(0, 4), [ids[4]], [ids[5]]]) {
    const trace = await parties.pass(base, ends.embed(part, base))
    expect(mismatches(parties, trace)).toEqual([])
    expect(trace.schedule.hops).toBe(1 + 14 * 2 + 5)
    const want = part.map((id) => twin.next(id)).at(-1)!
    const got = ends.logits(trace.released)
    expect(got.length).toBe(config.vocab)
    expect(Math.max(...want.map((v, i) => Math.abs(v - got[i])))).toBeLessThan(0.05)
    base += part.length
  }
})

it('compiles for every span up to the context', () => {
  const tensors = randomModel(llama, 3)
  const ranges = calibrate(llama, tensors, [[1, 2, 3, 4, 5]])
  const spec: ModelSpec = { config: { ...llama, context: 4096 }, ranges, visibility: () => 'private' }
  const steps = Array.from({ length: 10 }, (_, i) => compileModel(spec, i + 3).steps.map((s) => s.op))
  // Streams are named by step numbers, so every span's plan must number its steps alike.
  for (const ops of steps) expect(ops).toEqual(steps[0])
})
