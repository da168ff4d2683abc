import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Parties } from '../../../../test/support/session/parties.ts'
import { largestError, openOwner, startEngineParties } from '../../../../test/support/session/private-run.ts'
import { writeTinyBundle } from '../../../../test/support/session/tiny-bundle.ts'
import { createNodeKernels } from '../../../kernels/node/kernels.ts'
import type { Bundle } from '../../../model/files/bundle-node.ts'
import { readCatalog } from '../../../model/files/catalog.ts'
import { connect } from '../../../transport/connect.ts'
import { nodeWebRtcDial } from '../../../transport/node/webrtc.ts'
import { makeWebSocket } from '../../../transport/node/ws.ts'
import { postSignal } from '../../../transport/webrtc.ts'
import { PlanServer } from './engine.ts'

let folder: string
let bundle: Bundle
let parties: Parties
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-'))
  bundle = await writeTinyBundle(folder, 'tiny', { layers: 2 })
  parties = await startEngineParties(folder)
})
afterAll(async () => {
  await parties?.close()
  rmSync(folder, { recursive: true })
})

test.each(['ws', 'webrtc', 'fetch'] as const)(
  'over %s: prefill and cached steps follow the float model',
  async (link) => {
    const webRtc = (url: string) => nodeWebRtcDial(postSignal(url), '127.0.0.1')
    const options = { link, webSocket: makeWebSocket(), webRtc }
    const owner = await openOwner(
      parties,
      bundle,
      async () => (await connect(parties.server.url, options)).link,
    )
    expect(await largestError(owner, bundle, [[1, 5, 9, 33, 2, 60, 7], [8], [21], [40]])).toBeLessThan(0.02)
    await owner.session.drop()
    await owner.close()
  },
)

test('a server whose plan the dealer does not share is turned away', async () => {
  const engine = await PlanServer.load(createNodeKernels(), await readCatalog(folder))
  const [served] = engine.models()
  engine.models = () => [{ ...served, planHash: '00'.repeat(32) }]
  await expect(startEngineParties(folder, { server: { engine } })).rejects.toMatchObject({
    code: 'plan-mismatch',
  })
})

test('every start of the server hides its weights under masks of its own', async () => {
  const seeds = []
  for (let start = 0; start < 3; start++) {
    const engine = await PlanServer.load(createNodeKernels(), await readCatalog(folder))
    const [{ modelHash }] = engine.models()
    const seed = engine.fSeed(modelHash)
    expect(seed).toHaveLength(32)
    expect(new Set(seed).size).toBeGreaterThan(8)
    seeds.push(String(seed))
  }
  expect(new Set(seeds).size).toBe(seeds.length)
})
