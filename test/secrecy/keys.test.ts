/** Which key each keystream of a real pass is read under. */

import { describe, expect, it } from 'vitest'
import type { Kernels } from '../../src/kernels/kernels.ts'
import { createWasmKernels } from '../../src/kernels/wasm/kernels.ts'
import { maskLanes, slotLanes } from '../../src/protections/shared/correlations/keystreams.ts'
import { LocalParties } from '../../src/protections/shared/local/local-parties.ts'
import type { Plan } from '../../src/protections/shared/plan.ts'
import { MASK_STREAM, type Prg, streamId } from '../../src/protections/shared/prg.ts'
import { localKeys } from '../support/protocol/local-keys.ts'
import { lowbitDecoder, tinyParallel } from '../support/protocol/lowbit.ts'
import { type TinyDecoder, tinyLlama, tinyModel } from '../support/protocol/models.ts'
import { readsOf } from '../support/protocol/prg.ts'
import { fixedKeys, WatchedSession } from '../support/protocol/session.ts'

const decoders: [string, TinyDecoder][] = [
  ['in a pass', tinyModel({ ...tinyLlama, layers: 1 })],
  ['in a pass of few bits', lowbitDecoder({ ...tinyParallel, layers: 1 })],
]

describe.each(decoders)('%s', (_, model) => {
  /** Streams that were read, by the first byte of their key. */
  async function watched(): Promise<{ plan: Plan; reads: Map<number, Set<number>> }> {
    const wasm = createWasmKernels()
    const reads = new Map<number, Set<number>>()
    const note = (key: Uint8Array, stream: number): void => {
      reads.set(key[0], (reads.get(key[0]) ?? new Set<number>()).add(stream))
    }
    const own: Partial<Kernels> = {
      keystream: (key, nonce, offset, out) => {
        note(key, new DataView(nonce.buffer, nonce.byteOffset).getUint32(0, true))
        wasm.keystream(key, nonce, offset, out)
      },
      blocks: (key, stream, places) => {
        note(key, stream)
        return wasm.blocks(key, stream, places)
      },
    }
    const kernels = new Proxy(wasm, {
      get: (target, name) => Reflect.get(own, name) ?? Reflect.get(target, name),
    })
    const parties = new LocalParties(model.model, model.tensors, { keys: localKeys(0), kernels })
    const { plan } = await parties.pass(0, model.ends.embed([1, 2, 3], 0))
    return { plan, reads }
  }

  it('each key is read only for what it is meant for, the input’s hiding under one that the dealer lacks', async () => {
    const { plan, reads } = await watched()
    const shape = { base: 0, rows: 3, serial: 0 }
    const opened = new Set<number>()
    const dealt = new Set<number>()
    const noise = new Set<number>()
    for (const step of plan.steps) {
      const { out } = step
      const add = (to: Set<number>, read: (prg: Prg) => void): void => {
        for (const { stream } of readsOf(read)) to.add(stream)
      }
      if (out.kind === 'opened') add(opened, (prg) => maskLanes(prg, shape, out))
      if (out.kind === 'masked') add(dealt, (prg) => maskLanes(prg, shape, out))
      for (const slot of step.slots) add(dealt, (prg) => slotLanes(prg, shape, step, slot))
    }
    // What ranges are told by: numbers that the dealer marks levels with, and the server's factors of fingerprints.
    const factors = plan.steps.filter(({ op }) => op === 'aboveFloor' || op === 'openPrint')
    for (const { id } of factors) noise.add(streamId(id, MASK_STREAM))
    const [owner, server, secret] = [1, 2, 3].map((key) => reads.get(key) ?? new Set<number>())
    // An input that is all the owner's own has no share that anyone else knows.
    const inputs = plan.steps.filter((step) => step.op === 'input')
    expect([...secret]).toEqual(inputs.map(({ id }) => streamId(id, 0)))
    expect(server).toEqual(new Set([...opened, ...noise]))
    expect(owner).toEqual(new Set([...opened, ...dealt]))
  })
})

describe('in a pass', () => {
  const [[, model]] = decoders

  it('the same seed and input give the same masks ahead, but never the same share of the input', async () => {
    const wires = []
    for (let n = 0; n < 2; n++) {
      const session = new WatchedSession(model, fixedKeys(6))
      await session.owner.run(0, model.ends.embed([1, 2, 3], 0))
      wires.push(session.wire.map((seen) => Buffer.from(seen.bytes).toString('hex')))
    }
    expect(wires[0][0]).toBe(wires[1][0])
    expect(wires[0][1]).not.toBe(wires[1][1])
  })
})
