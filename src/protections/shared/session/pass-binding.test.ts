/** A modified owner that tells dealer and server of different passes is refused before the server says anything of one. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { tinyLlama, tinyModel } from '../../../../test/support/protocol/models.ts'
import {
  type NotingParties,
  openNoted,
  startNotingParties,
} from '../../../../test/support/protocol/parties.ts'
import { fixedKeys, sessionKernels, WatchedSession } from '../../../../test/support/protocol/session.ts'
import { writeTinyBundle } from '../../../../test/support/session/tiny-bundle.ts'
import { createCpuProductDevice } from '../../../kernels/wasm/device.ts'
import type { Bundle } from '../../../model/files/bundle-node.ts'
import { dialLink } from '../../../transport/dial.ts'
import { makeWebSocket } from '../../../transport/node/ws.ts'
import { webSocketDial } from '../../../transport/websocket.ts'
import { SharedConnection } from '../connection.ts'
import { rowChunksOf } from '../row-chunks.ts'
import { aheadBytes } from '../runners/pipelined.ts'
import type { Shape } from '../shape.ts'
import type { SessionDealer } from './dealer-passes.ts'
import { decodeRequest, encodePass, encodeRequest } from './pass-messages.ts'

const model = tinyModel({ ...tinyLlama, layers: 1 })
const PASS = 2
const SERIAL = 40

/** A session with four cached rows whose owner then begins a pass with each of the others, and goes on with it. */
async function begin(dealt: Partial<Shape>, served: Partial<Shape>, dealer?: SessionDealer) {
  const session = new WatchedSession(model, fixedKeys(1))
  await session.owner.run(0, model.ends.embed([1, 2, 3, 4], 0))
  const [own, other] = [dealt, served].map((of) => ({ base: 4, rows: 32, serial: SERIAL, ...of }))
  const dealing = dealer ?? session.dealer
  await dealing.deal(encodeRequest(own), async (chunk) => session.material.put(PASS, chunk))
  const before = session.wire.length
  const { schedule } = session.plans.of(other)
  const payload = new Uint8Array(aheadBytes(schedule, rowChunksOf(other)))
  await session.link.send(encodePass({ kind: 'begin', pass: PASS, shape: other, payload }), false)
  // The first message that the server waits for; what is in it does not matter any more.
  const first = { kind: 'data', pass: PASS, rowChunk: 0, index: 1, payload: new Uint8Array(4) } as const
  await session.link.send(encodePass(first), true)
  const refusal: unknown = await session.server.catch((error: unknown) => error)
  return { refusal, said: session.wire.length - before }
}

const mismatch = {
  refusal: expect.objectContaining({ code: 'pass-mismatch', advice: expect.any(String) }),
  said: 0,
}

test.each<[string, Partial<Shape>, Partial<Shape>]>([
  ['an earlier position', { base: 4 }, { base: 2 }],
  ['a later position', { base: 2 }, { base: 4 }],
  ['more rows', { rows: 32 }, { rows: 33 }],
  ['fewer rows', { rows: 33 }, { rows: 32 }],
  ['other serials', { serial: SERIAL }, { serial: SERIAL + 8 }],
  ['another plan', { goal: 'bytes' }, {}],
  ['another plan, the other way round', {}, { goal: 'bytes' }],
  ['no row chunks', {}, { isWhole: true }],
])('the server hears of %s', async (_, dealt, served) => {
  expect(await begin(dealt, served)).toEqual(mismatch)
})

test('a dealer with plans of other metadata', async () => {
  const other = tinyModel({ ...tinyLlama, layers: 1, eps: 1e-4 })
  const { dealer } = new WatchedSession(other, fixedKeys(1))
  expect(await begin({ base: 0 }, { base: 0 }, dealer)).toEqual(mismatch)
})

test('the same pass goes on to what its first message lacks', async () => {
  expect(await begin({}, {})).toEqual({ refusal: expect.objectContaining({ code: 'malformed' }), said: 0 })
})

describe('over the wires of real parties', () => {
  let folder: string
  let bundle: Bundle
  let noting: NotingParties

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sotto-'))
    bundle = await writeTinyBundle(folder)
    noting = await startNotingParties(folder, {})
  })
  afterAll(async () => {
    await noting.parties.close()
    rmSync(folder, { recursive: true })
  })

  test.each<[string, (shape: Shape) => Partial<Shape>]>([
    ['other serials', ({ serial }) => ({ serial: serial + 1 })],
    ['another base', ({ base }) => ({ base: base - 1 })],
    ['more rows', ({ rows }) => ({ rows: rows + 1 })],
    ['another plan', () => ({ goal: 'bytes' })],
    ['other row chunks', () => ({ isWhole: true })],
  ])('%s at the dealer: all three hear why the session is over', async (_, other) => {
    const { url } = noting.parties.server
    const socket = () => dialLink('ws', webSocketDial(`${url}/api/link`, makeWebSocket()))
    const { session, ends, agreement, link } = await openNoted(noting, bundle, socket)
    const connection = new SharedConnection({
      ...{ model: bundle, ends, session, agreement, link, dealer: '' },
      device: createCpuProductDevice(sessionKernels, { cacheBytes: 1 << 20 }),
      reasons: { link: '', backend: '' },
    })
    await connection.run(0, { ids: [1, 5, 9] })
    const heard = link.traffic.receivedMessages
    const { requestPass } = agreement
    agreement.requestPass = (pass, body) => {
      const shape = decodeRequest(body)
      return requestPass.call(agreement, pass, encodeRequest({ ...shape, ...other(shape) }))
    }
    await expect(connection.run(3, { ids: [8] })).rejects.toMatchObject({
      name: 'SessionError',
      code: 'pass-mismatch',
      advice: expect.stringContaining('different things'),
    })
    // Nothing was said of the pass.
    expect(link.traffic.receivedMessages).toBe(heard)
    const ended = new RegExp(`"sessionId":"${agreement.sessionId}","reason":"pass-mismatch.*session ended`)
    await vi.waitFor(() => expect(noting.parties.logged.join('')).toMatch(ended), 60_000)
    await expect(connection.run(3, { ids: [8] })).rejects.toMatchObject({ code: 'pass-mismatch' })
    await connection.close()
  })
})
