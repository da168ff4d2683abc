import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PlanDealer } from '../dealer/engine.ts'
import { createNodeKernels } from '../kernels/node/kernels.ts'
import { createCpuProductDevice } from '../kernels/wasm/device.ts'
import { loadBundle, writeBundle } from '../model/bundle-node.ts'
import type { ModelConfig } from '../model/config.ts'
import { randomModel } from '../model/random.ts'
import { floatModel } from '../model/reference.ts'
import { Ends } from '../owner/embedding.ts'
import { calibrate } from '../protocol/compile/ranges.ts'
import { loadWeights } from '../protocol/compile/weights.ts'
import { modelPlans } from '../protocol/session/model-plan.ts'
import { OwnerSession } from '../protocol/session/owner-session.ts'
import { fetchCards } from '../session/card.ts'
import { greetServer, openSession } from '../session/owner.ts'
import { type Parties, startParties } from '../session/testing/parties.ts'
import { connect } from '../transport/connect.ts'
import { nodeWebRtcDial } from '../transport/node/webrtc.ts'
import { makeWebSocket } from '../transport/node/ws.ts'
import { postSignal } from '../transport/webrtc.ts'
import { readCatalog } from './catalog.ts'
import { PlanServer } from './engine.ts'

const config: ModelConfig = {
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
const ids = [1, 5, 9, 33, 2, 60, 7, 8, 21, 40]

let folder: string
let parties: Parties
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-'))
  const tensors = randomModel(config, 7)
  const chat = { template: '', bos: 0, user: 1, assistant: 2, end: 3, stop: [3] }
  const about = { name: 'Tiny', description: '', license: 'CC0', source: 'none' }
  const profile = { fixed: { ranges: calibrate(config, tensors, [ids]) } }
  await writeBundle(join(folder, 'tiny'), { ...about, chat, config, profile, tokenizer: {}, tensors })
  const catalog = await readCatalog(folder)
  const kernels = createNodeKernels()
  const engine = await PlanServer.load(kernels, catalog)
  parties = await startParties({
    catalog,
    server: { engine },
    dealer: { makeEngine: () => new PlanDealer(kernels) },
  })
})
afterAll(async () => {
  await parties?.close()
  rmSync(folder, { recursive: true })
})

async function open(link: 'ws' | 'fetch' | 'webrtc') {
  const { manifest, tensors } = await loadBundle(join(folder, 'tiny'))
  const [{ hash: modelHash, planHash }] = (await fetchCards(parties.server.url)).models
  const agreement = await openSession(parties.request({ modelHash, planHash }))
  const webRtc = (url: string) => nodeWebRtcDial(postSignal(url), '127.0.0.1')
  const connected = await connect(parties.server.url, { link, webSocket: makeWebSocket(), webRtc })
  const { fSeed } = await greetServer(connected.link, agreement)
  const kernels = createNodeKernels()
  const plans = modelPlans(manifest)
  const session = new OwnerSession({
    plans,
    kernels,
    device: createCpuProductDevice(kernels, { cacheBytes: 1 << 24 }),
    link: connected.link,
    seed: agreement.seed,
    stationarySeed: fSeed,
    clear: loadWeights(kernels, config, tensors, () => false),
    requestPass: (pass, body) => agreement.requestPass(pass, body),
  })
  return { session, ends: new Ends(config, tensors), link: connected.link, tensors }
}

describe('the engine behind real sockets', () => {
  test.each(['ws', 'webrtc', 'fetch'] as const)(
    'over %s: prefill and cached steps follow the float model',
    async (kind) => {
      const { session, ends, link, tensors } = await open(kind)
      const float = floatModel(config, tensors)
      let base = 0
      for (const part of [ids.slice(0, 7), [ids[7]], [ids[8]], [ids[9]]]) {
        const hidden = await session.run(base, ends.embed(part, base), { next: true })
        base += part.length
        const logits = ends.logits(hidden)
        const expected = float.forward(part)
        const worst = Math.max(...logits.map((value, i) => Math.abs(value - expected[i])))
        expect(worst).toBeLessThan(0.02)
      }
      await session.drop()
      await link.close()
    },
  )
})

test('a server whose plan the dealer does not share is turned away', async () => {
  const kernels = createNodeKernels()
  const engine = await PlanServer.load(kernels, await readCatalog(folder))
  const [served] = engine.models()
  engine.models = () => [{ ...served, planHash: '00'.repeat(32) }]
  const makeEngine = () => new PlanDealer(kernels)
  await expect(startParties({ server: { engine }, dealer: { makeEngine } })).rejects.toMatchObject({
    code: 'plan-mismatch',
  })
})
