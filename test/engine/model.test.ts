/** Whole models: private inference equals the integer oracle bit for bit, and the float model closely. */

import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { Ends } from '../../src/model/ends.ts'
import { loadBundle } from '../../src/model/files/bundle-node.ts'
import { floatModel } from '../../src/model/graph/decoder-model.ts'
import { LocalParties } from '../../src/protections/shared/local/local-parties.ts'
import type { ProfiledModel } from '../../src/protections/shared/profiles/profile.ts'
import { modelPlans } from '../../src/protections/shared/session/model-plan.ts'
import { localKeys } from '../support/protocol/local-keys.ts'
import { mismatches } from '../support/protocol/mismatches.ts'
import { tinyGpt2, tinyLlama, tinyModel } from '../support/protocol/models.ts'

/** A conversation between a float model and the parties; every pass is checked. */
class Conversation {
  cached: number[] = []
  readonly #parties: LocalParties
  readonly #ends: Ends
  readonly #float
  readonly #tolerance: number

  constructor(config: ModelConfig, model: ProfiledModel, tensors: Tensors, tolerance: number) {
    this.#parties = new LocalParties(model, tensors, { keys: localKeys() })
    this.#ends = new Ends(config, tensors)
    this.#float = floatModel(config, tensors)
    this.#tolerance = tolerance
  }

  /** Feeds tokens after the first `base`; resolves with the likeliest next one. */
  async feed(ids: number[], base = this.cached.length): Promise<number> {
    this.#float.rewind(base)
    const trace = await this.#parties.pass(base, this.#ends.embed(ids, base))
    this.cached = [...this.cached.slice(0, base), ...ids]
    expect(mismatches(this.#parties, trace)).toEqual([])
    const got = this.#ends.logits(trace.released)
    const want = this.#float.forward(ids)
    expect(Math.max(...got.map((v, i) => Math.abs(v - want[i])))).toBeLessThan(this.#tolerance)
    return got.indexOf(Math.max(...got))
  }

  async decode(id: number, steps: number): Promise<number> {
    for (let n = 0; n < steps; n++) id = await this.feed([id])
    return id
  }
}

describe.each([
  ['llama, private', tinyLlama, 'private'],
  ['gpt2, half of it public', tinyGpt2, 'mixed'],
] as const)('%s', (_, config, privacy) => {
  it('equals the oracle over prefill, 64 cached steps, a second turn and an edited one', async () => {
    const { model, tensors } = tinyModel(config, privacy)
    const chat = new Conversation(config, model, tensors, 0.02)
    const reply = await chat.decode(await chat.feed([1, 5, 9, 33, 2]), 64)
    const turn = chat.cached.length
    const again = await chat.decode(await chat.feed([reply, 3, 8, 44, 21, 17]), 8)
    expect(chat.cached.length).toBe(turn + 14)
    // The second message is edited: its positions and all after them are new.
    await chat.decode(await chat.feed([reply, again, 40, 11], turn), 4)
    expect(chat.cached.length).toBe(turn + 8)
  })
})

it('the demo model equals the oracle over a prompt, cached steps and a second turn', async () => {
  const folder = fileURLToPath(new URL('../../models/sotto-demo', import.meta.url))
  const { manifest, tensors } = await loadBundle(folder)
  const chat = new Conversation(manifest.config, modelPlans(manifest).model, tensors, 0.05)
  const reply = await chat.decode(await chat.feed([0, 1, 300, 512, 40, 77, 3, 2]), 4)
  await chat.decode(await chat.feed([reply, 3, 1, 900, 3, 2]), 2)
})
