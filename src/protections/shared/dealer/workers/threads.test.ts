/** Dealing in other threads: the same bytes, held back where nobody takes them, and nothing left behind. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { writeTinyBundle } from '../../../../../test/support/session/tiny-bundle.ts'
import { createNodeKernels } from '../../../../kernels/node/kernels.ts'
import { readCatalog } from '../../../../model/files/catalog.ts'
import type { DealerEngine, DealerPasses } from '../../agreement/parties.ts'
import { PlanServer } from '../../server/engine.ts'
import { SessionDealer } from '../../session/dealer-passes.ts'
import { HEAD_BYTES, KEY_BYTES } from '../../session/material-stream.ts'
import { type ModelPlans, modelPlans } from '../../session/model-plan.ts'
import { encodeRequest } from '../../session/pass-messages.ts'
import type { Turn } from '../../session/turn.ts'
import { SLAB_BYTES } from './slabs.ts'
import { DealingThreads } from './threads.ts'

const kernels = createNodeKernels()
const folder = mkdtempSync(join(tmpdir(), 'sotto-threads-'))
let server: PlanServer
let modelHash: string
let plans: ModelPlans

beforeAll(async () => {
  const bundle = await writeTinyBundle(folder, 'tiny', { layers: 4 })
  server = await PlanServer.load(kernels, await readCatalog(folder))
  modelHash = server.models()[0].modelHash
  plans = modelPlans(bundle.manifest)
})

afterAll(() => rmSync(folder, { recursive: true }))

async function dealing(count = 1): Promise<{ threads: DealingThreads; engine: DealerEngine }> {
  const threads = new DealingThreads(count, 'wasm')
  onTestFinished(() => threads.close())
  const engine = threads.makeEngine('server')
  await register(engine)
  return { threads, engine }
}

function register(engine: DealerEngine): Promise<string> {
  const { header, tensors } = server.registration(modelHash)
  return engine.registerModel(modelHash, header, tensors)
}

const request = (serial: number, rows = 1) => encodeRequest({ base: 0, rows, serial })

async function dealt(passes: DealerPasses, asked: Uint8Array): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = []
  await passes.deal(asked, async (chunk) => void chunks.push(chunk.slice()))
  return chunks
}

/** What the thread of this test would deal, with the server's key that is in `first`. */
async function expected(seed: Uint8Array, asked: Uint8Array[], first: Uint8Array): Promise<Uint8Array[]> {
  const differences = new Map()
  const uses = plans.privateWeights()
  for await (const bytes of server.registration(modelHash).tensors) {
    const { name, k, n, ring } = uses[differences.size]
    differences.set(name, kernels.load(kernels.unpack(bytes, ring, k * n), k, n))
  }
  const key = first.slice(HEAD_BYTES - KEY_BYTES, HEAD_BYTES)
  const dealer = new SessionDealer(plans, kernels, differences, seed, () => key)
  const chunks: Uint8Array[] = []
  for (const one of asked) await dealer.deal(one, async (chunk) => void chunks.push(chunk.slice()))
  return chunks
}

test('a pass has the bytes and the chunks that one thread would have dealt, whatever is dealt beside it', async () => {
  const { engine } = await dealing(2)
  const seeds = [1, 2].map((byte) => new Uint8Array(32).fill(byte))
  const prompt = request(0, 64)
  const all = await Promise.all(seeds.map((seed) => dealt(engine.open(modelHash, seed.slice()), prompt)))
  for (const [i, seed] of seeds.entries()) {
    expect(Buffer.concat(all[i]).length).toBeGreaterThan(2 * SLAB_BYTES)
    const same = await expected(seed, [prompt], all[i][0])
    expect(all[i].map(({ length }) => length)).toEqual(same.map(({ length }) => length))
    expect(Buffer.compare(Buffer.concat(all[i]), Buffer.concat(same))).toBe(0)
  }
})

test('what the engine refuses has its code, and costs are as declared', async () => {
  const { engine } = await dealing()
  await expect(engine.registerModel(modelHash, Uint8Array.of(1), noTensors())).rejects.toMatchObject({
    code: 'malformed',
  })
  const short = engine.registerModel(modelHash, server.registration(modelHash).header, noTensors())
  await expect(short).rejects.toMatchObject({ code: 'malformed', message: expect.stringMatching(/missing/) })
  expect(() => engine.open('00'.repeat(32), new Uint8Array(32))).toThrow(/not registered/)
  const passes = engine.open(modelHash, new Uint8Array(32))
  expect(() => passes.costOf(request(0, 65))).toThrow(/does not fit/)
  expect(passes.costOf(request(0)).bytes).toBe(Buffer.concat(await dealt(passes, request(0))).length)
  await expect(dealt(passes, request(0))).rejects.toMatchObject({ code: 'malformed' })
})

test('a pass that nobody takes waits, holding little; one that is given up leaves the session to the next', async () => {
  const { engine } = await dealing()
  const passes = engine.open(modelHash, new Uint8Array(32))
  let taken = 0
  let release: () => void = () => undefined
  const stalled = passes.deal(request(0, 64), async (chunk) => {
    taken += chunk.length
    await new Promise<void>((resolve, reject) => {
      release = () => reject(new Error('given up'))
      if (taken < SLAB_BYTES) resolve()
    })
  })
  const outcome = stalled.catch((error: Error) => error.message)
  await expect.poll(() => taken).toBeGreaterThanOrEqual(SLAB_BYTES)
  // Another session is dealt for meanwhile, by the same thread.
  expect(
    (await dealt(engine.open(modelHash, new Uint8Array(32).fill(1)), request(0))).length,
  ).toBeGreaterThan(0)
  expect(taken).toBe(SLAB_BYTES)
  release()
  expect(await outcome).toBe('given up')
  const { bytes } = passes.costOf(request(64))
  expect(Buffer.concat(await dealt(passes, request(64))).length).toBe(bytes)
})

test('a session that is closed takes nothing more, and its thread deals for others', async () => {
  const { engine } = await dealing()
  const passes = engine.open(modelHash, new Uint8Array(32))
  let chunks = 0
  const closed = passes.deal(request(0, 64), async () => {
    if (++chunks === 3) passes.close()
  })
  await expect(closed).rejects.toMatchObject({ code: 'expired' })
  await expect(passes.deal(request(64), async () => undefined)).rejects.toMatchObject({ code: 'expired' })
  expect(
    (await dealt(engine.open(modelHash, new Uint8Array(32).fill(1)), request(0))).length,
  ).toBeGreaterThan(0)
})

test('a thread that ends takes its engines with it, and the next engine has another one', async () => {
  const { threads, engine } = await dealing()
  const passes = engine.open(modelHash, new Uint8Array(32))
  const broken = passes.deal(request(0, 64), async () => {
    await threads.close()
  })
  await expect(broken).rejects.toThrow(/has ended/)
  expect((await engine.failed)?.message).toMatch(/has ended/)
  await expect(dealt(passes, request(64))).rejects.toThrow(/has ended/)
  const next = threads.makeEngine('server')
  await register(next)
  expect((await dealt(next.open(modelHash, new Uint8Array(32)), request(0))).length).toBeGreaterThan(0)
})

test('whoever deals elsewhere leaves this thread to others meanwhile', async () => {
  const { engine } = await dealing()
  const asked: string[] = []
  const turn: Turn = {
    next: async () => void asked.push('next'),
    computing: async (result) => {
      asked.push('computing')
      return result
    },
    waiting: (result) => result,
  }
  await engine.open(modelHash, new Uint8Array(32)).deal(request(0, 64), async () => undefined, turn)
  expect(asked.filter((what) => what === 'computing').length).toBeGreaterThan(3)
  expect(asked).toContain('next')
})

async function* noTensors(): AsyncGenerator<Uint8Array> {}

test('an engine that was closed is nothing to its thread any more', async () => {
  const { threads, engine } = await dealing()
  let isHeard = false
  void engine.failed?.then(() => {
    isHeard = true
  })
  engine.close()
  await threads.close()
  await new Promise((resolve) => setImmediate(resolve))
  expect(isHeard).toBe(false)
})
