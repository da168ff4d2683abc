/**
 * Quantized models over real links: owner, server and dealer on sockets, and everything that both parties computed is what
 * the integer oracle computes, bit for bit. Nothing is forgotten after its last use here, so that it can be compared.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createWasmKernels } from '../../src/kernels/wasm/kernels.ts'
import { EncoderEnds } from '../../src/model/encoder-ends.ts'
import { loadPublic } from '../../src/model/files/bundle.ts'
import type { Bundle } from '../../src/model/files/bundle-node.ts'
import { RowCache } from '../../src/protections/shared/cache.ts'
import { add } from '../../src/protections/shared/ring.ts'
import { OraclePass } from '../../src/protections/shared/runners/oracle.ts'
import { PartyPass } from '../../src/protections/shared/runners/party.ts'
import { modelPlans } from '../../src/protections/shared/session/model-plan.ts'
import { loadWeights } from '../../src/protections/shared/weights/held.ts'
import { dialLink } from '../../src/transport/dial.ts'
import { makeWebSocket } from '../../src/transport/node/ws.ts'
import { webSocketDial } from '../../src/transport/websocket.ts'
import { tinyParallel, tinyRmsBert } from '../support/protocol/lowbit.ts'
import { differences } from '../support/protocol/mismatches.ts'
import { writeLowbitBundle } from '../support/session/lowbit-bundle.ts'
import type { Parties } from '../support/session/parties.ts'
import { answerOf, openOwner, startEngineParties } from '../support/session/private-run.ts'
import { type SplitModel, serveSplit, splitTiny } from '../support/split-bundle.ts'

vi.mock(import('../../src/protections/shared/runners/lifetimes.ts'), () => ({
  usesOf: ({ programs }, role) => new Uint16Array(2 * programs[role].length + 1).fill(65535),
}))

const kernels = createWasmKernels()
/** The parties' runs of each pass, in order. */
const runs: Record<'owner' | 'server', Set<PartyPass>> = { owner: new Set(), server: new Set() }
beforeEach(() => {
  for (const seen of Object.values(runs)) seen.clear()
  const run = PartyPass.prototype.runStep
  vi.spyOn(PartyPass.prototype, 'runStep').mockImplementation(function (this: PartyPass, id) {
    runs[this.role].add(this)
    run.call(this, id)
  })
})

afterEach(() => {
  vi.restoreAllMocks()
})

/** What owner and server differ in from the oracle, pass after pass. */
function complaints({ manifest, tensors }: Bundle): string[] {
  const plans = modelPlans(manifest)
  const clear = loadWeights(kernels, plans.model.encode(tensors, ['public', 'private']))
  const cache = new RowCache(manifest.config.context)
  const servers = [...runs.server]
  return [...runs.owner].flatMap((owner, i) => {
    const server = servers[i]
    const { plan } = plans.of(owner.shape)
    const pass = new OraclePass(plan, owner.shape, {
      kernels,
      ...clear,
      cache,
      input: owner.input(),
      padding: owner.padding(),
      ownerShare: (value) => owner.get(value),
      mask: (value) => add(owner.mask(value), server.mask(value), value.maskRing),
      serverMask: (value) => server.mask(value),
    })
    pass.run()
    return differences(plan, { pass, owner, server })
  })
}

describe.each([
  ['a chat', tinyParallel],
  ['a chat with SiLU', { ...tinyParallel, activation: 'silu' as const }],
])('%s', (_, config) => {
  let folder: string
  let bundle: Bundle
  let parties: Parties
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sotto-lowbit-'))
    bundle = await writeLowbitBundle(folder, 'chat', config)
    parties = await startEngineParties(folder)
  })
  afterAll(async () => {
    await parties.close()
    rmSync(folder, { recursive: true })
  })

  it('is computed as by the oracle, over a prompt and cached tokens', async () => {
    const dial = webSocketDial(`${parties.server.url}/api/link`, makeWebSocket())
    const owner = await openOwner(parties, bundle, () => dialLink('ws', dial))
    let base = 0
    for (const ids of [[5, 9, 33, 60], [7], [8]]) {
      const released = await owner.session.run(base, owner.ends.embed(ids, base))
      expect(owner.ends.logits(released)).toHaveLength(bundle.manifest.config.vocab)
      base += ids.length
    }
    await owner.close()
    expect([...runs.owner].map((pass) => pass.shape.rows)).toEqual([4, 1, 1])
    expect(complaints(bundle)).toEqual([])
  })
})

describe('a classifier', () => {
  let folder: string
  let bundle: Bundle
  let parties: Parties
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sotto-lowbit-'))
    bundle = await writeLowbitBundle(folder, 'classifier', tinyRmsBert)
    parties = await startEngineParties(folder)
  })
  afterAll(async () => {
    await parties.close()
    rmSync(folder, { recursive: true })
  })

  it('is computed as by the oracle, text after text', async () => {
    const dial = webSocketDial(`${parties.server.url}/api/link`, makeWebSocket())
    const owner = await openOwner(parties, bundle, () => dialLink('ws', dial))
    const ends = new EncoderEnds(bundle.manifest.config, bundle.tensors)
    for (const n of [3, 16]) {
      const { rows, padding } = ends.input({ ids: Array.from({ length: n }, (_, i) => 1 + i * n) })
      expect(await owner.session.run(0, rows, { padding })).toHaveLength(3)
    }
    await owner.close()
    expect(complaints(bundle)).toEqual([])
  })
})

describe('a chat in pieces', () => {
  let folder: string
  let model: SplitModel
  let parties: Parties
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sotto-lowbit-'))
    const write = (at: string): Promise<Bundle> => writeLowbitBundle(at, 'chat', tinyParallel)
    model = await splitTiny(folder, write, 'chat')
    parties = await serveSplit(model)
  })
  afterAll(async () => {
    await parties.close()
    rmSync(folder, { recursive: true })
  })

  it('answers an owner that has the public files alone', async () => {
    const known = await loadPublic((name) => fetch(`${parties.server.url}/api/models/chat/${name}`))
    expect([...known.tensors.keys()]).toEqual(['model.embed_tokens.weight'])
    const dial = webSocketDial(`${parties.server.url}/api/link`, makeWebSocket())
    const owner = await openOwner(parties, known, () => dialLink('ws', dial))
    const { likeness } = await answerOf(owner, model.whole, [[5, 9, 33, 60], [7]])
    // A wrong answer would have nothing in common with the right one.
    expect(likeness).toBeGreaterThan(0.6)
    await owner.close()
  })
})
