import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../transport/connect.ts'
import type { Link } from '../transport/link.ts'
import { nodeWebRtcDial } from '../transport/node/webrtc.ts'
import { makeWebSocket } from '../transport/node/ws.ts'
import { postSignal } from '../transport/webrtc.ts'
import { fetchCards } from './card.ts'
import { toBase64Url, toHex } from './encoding.ts'
import { newIdentity } from './node/key-file.ts'
import { greetServer, type OwnerSession, openSession } from './owner.ts'
import { fSeed, modelHash, type Parties, startParties, until } from './testing/parties.ts'

let parties: Parties
const links: Link[] = []
const close = async (): Promise<void> => {
  for (const link of links.splice(0)) await link.close()
}
beforeAll(async () => {
  parties = await startParties()
})
afterEach(close)
afterAll(() => parties.close())

const options = {
  webSocket: makeWebSocket(),
  webRtc: (url: string) => nodeWebRtcDial(postSignal(url), '127.0.0.1'),
}

async function link(to: Parties = parties, choice?: 'ws' | 'webrtc' | 'fetch'): Promise<Link> {
  const connected = await connect(to.server.url, { ...options, link: choice })
  links.push(connected.link)
  return connected.link
}

async function start(to: Parties = parties, choice?: 'ws' | 'webrtc' | 'fetch') {
  const session = await openSession(to.request())
  const wire = await link(to, choice)
  const greeting = await greetServer(wire, session)
  return { session, wire, greeting }
}

/** Asks for a pass of `n` chunks and reads them through the server. */
async function pass(session: OwnerSession, wire: Link, number: number, n = 3): Promise<number[]> {
  await session.requestPass(number, Uint8Array.of(n, 10 * number))
  await wire.send(Uint8Array.of(number, n), true)
  return [...(await wire.receive())]
}

describe('a session', () => {
  test.each(['ws', 'webrtc', 'fetch'] as const)(
    'over %s: keys agree, material arrives in order',
    async (choice) => {
      const { session, wire, greeting } = await start(parties, choice)
      expect(greeting.fSeed).toEqual(fSeed)
      expect(parties.dealerEngine.seeds.at(-1)).toEqual(session.seed)
      expect(await pass(session, wire, 1)).toEqual([10, 11, 12])
      expect(await pass(session, wire, 5)).toEqual([50, 51, 52])
      expect(session.traffic.sentMessages).toBe(3)
    },
  )

  test('models are registered with every tensor whole', () => {
    const [{ header, tensors }] = parties.dealerEngine.registered
    expect(header).toEqual(parties.serverEngine.header)
    expect(tensors.map((t) => t.length)).toEqual([10, 3_000_000, 0])
    expect(tensors[1].every((byte) => byte === 5)).toBe(true)
  })

  test('two sessions have different seeds and do not mix', async () => {
    const [a, b] = [await start(), await start()]
    expect(toHex(a.session.seed)).not.toBe(toHex(b.session.seed))
    await a.session.requestPass(1, Uint8Array.of(1, 77))
    await b.session.requestPass(1, Uint8Array.of(1, 88))
    await b.wire.send(Uint8Array.of(1, 1), true)
    await a.wire.send(Uint8Array.of(1, 1), true)
    expect(await a.wire.receive()).toEqual(Uint8Array.of(77))
    expect(await b.wire.receive()).toEqual(Uint8Array.of(88))
  })

  test('a discarded pass is gone, later ones work', async () => {
    const { session, wire } = await start()
    await session.requestPass(1, Uint8Array.of(3, 1))
    await wire.send(Uint8Array.of(0, 1), true)
    await wire.receive()
    expect(await pass(session, wire, 2)).toEqual([20, 21, 22])
    await wire.send(Uint8Array.of(1, 1), true)
    await expect(wire.receive()).rejects.toMatchObject({ code: 'closed' })
  })

  test('dealing ahead is bounded by bytes, and goes on as they are used', async () => {
    parties.dealerEngine.size = 4_000_000
    try {
      const { session, wire } = await start()
      expect(await pass(session, wire, 1, 20)).toEqual(Array.from({ length: 20 }, (_, i) => 10 + i))
    } finally {
      parties.dealerEngine.size = 1000
    }
  })

  test('the owner’s farewell ends it everywhere', async () => {
    const { session, wire } = await start()
    await until(() => parties.dealer.dealer.status.sessions === 1)
    await session.close()
    await expect(wire.receive()).rejects.toMatchObject({ code: 'closed' })
    expect(parties.dealer.dealer.status.sessions).toBe(0)
    expect(parties.dealerEngine.closed).toBe(parties.dealerEngine.seeds.length)
    await expect(session.requestPass(1, Uint8Array.of(1, 1))).rejects.toMatchObject({ code: 'expired' })
  })

  test('closing the link makes the dealer forget the seed', async () => {
    const { wire } = await start()
    const before = parties.dealerEngine.closed
    await wire.close()
    await until(() => parties.dealerEngine.closed > before)
  })
})

describe('refusals', () => {
  test('another dealer than the pinned one', async () => {
    const dealerKey = toBase64Url(newIdentity().publicKey)
    await expect(openSession(parties.request({ dealerKey }))).rejects.toMatchObject({
      code: 'wrong-dealer-key',
    })
  })

  test.each([
    [{ modelHash: 'ee'.repeat(32) }, 'unknown-model'],
    [{ planHash: 'ee'.repeat(32) }, 'plan-mismatch'],
    [{ profile: 'other' }, 'plan-mismatch'],
    [{ serverKey: toBase64Url(new Uint8Array(32)) }, 'server-absent'],
    [{ dealerUrl: 'http://127.0.0.1:9' }, 'dealer-unreachable'],
    [{ dealerKey: 'short' }, 'malformed'],
  ])('%j is %s', async (changes, code) => {
    await expect(openSession(parties.request(changes))).rejects.toMatchObject({ name: 'SessionError', code })
  })

  test('a session is claimed once', async () => {
    const { session } = await start()
    await expect(greetServer(await link(), session)).rejects.toMatchObject({ code: 'replayed' })
  })

  test('a session that the dealer never announced', async () => {
    const session = await openSession(parties.request())
    const stranger = Object.assign(Object.create(session), { sessionId: '00'.repeat(16) }) as OwnerSession
    await expect(greetServer(await link(), stranger)).rejects.toMatchObject({ code: 'expired' })
  })

  test('another transcript than the dealer’s', async () => {
    const session = await openSession(parties.request())
    const transcript = session.transcript.slice()
    transcript[0] ^= 1
    const other = Object.assign(Object.create(session), { transcript }) as OwnerSession
    await expect(greetServer(await link(), other)).rejects.toMatchObject({ code: 'plan-mismatch' })
  })

  test('another server than the announced one', async () => {
    const session = await openSession(parties.request())
    const request = { ...session.request, serverKey: toBase64Url(newIdentity().publicKey) }
    const other = Object.assign(Object.create(session), { request }) as OwnerSession
    await expect(greetServer(await link(), other)).rejects.toMatchObject({ code: 'wrong-server-key' })
  })

  test('a link that does not begin with a greeting', async () => {
    const wire = await link()
    await wire.send(new TextEncoder().encode('{"t":"hello","protocolVersion":"x"}'), true)
    expect(JSON.parse(new TextDecoder().decode(await wire.receive()))).toMatchObject({
      t: 'refused',
      code: 'malformed',
    })
    await expect(wire.receive()).rejects.toMatchObject({ code: 'closed' })
  })

  test('another protocol version', async () => {
    const wire = await link()
    const hello = {
      t: 'hello',
      protocolVersion: 99,
      sessionId: '0'.repeat(32),
      transcript: modelHash,
      modelHash,
      planHash: modelHash,
    }
    await wire.send(new TextEncoder().encode(JSON.stringify(hello)), true)
    expect(JSON.parse(new TextDecoder().decode(await wire.receive()))).toMatchObject({
      code: 'version-mismatch',
    })
  })
})

describe('pass requests', () => {
  const post = (session: OwnerSession, body: Uint8Array<ArrayBuffer>) =>
    fetch(`${parties.dealer.url}/session/${session.sessionId}/pass`, { method: 'POST', body })
  const codeOf = async (response: Response) =>
    ((await response.json()) as { error: { code: string } }).error.code

  /** A session whose requests are recorded instead of sent. */
  async function recorded() {
    const bodies: Uint8Array<ArrayBuffer>[] = []
    const recording: typeof fetch = (url, init) => {
      if (!String(url).endsWith('/pass')) return fetch(url, init)
      bodies.push(init?.body as Uint8Array<ArrayBuffer>)
      return Promise.resolve(new Response(null, { status: 204 }))
    }
    const session = await openSession(parties.request({ fetch: recording }))
    for (const number of [1, 2, 4]) await session.requestPass(number, Uint8Array.of(1, 1))
    return { session, bodies }
  }

  test('the same bytes again are accepted without being dealt again; older ones are refused', async () => {
    const { session, bodies } = await recorded()
    expect((await post(session, bodies[1])).status).toBe(204)
    expect((await post(session, bodies[1])).status).toBe(204)
    const replayed = await post(session, bodies[0])
    expect([replayed.status, await codeOf(replayed)]).toEqual([409, 'replayed'])
    expect((await post(session, bodies[2])).status).toBe(204)
    expect(await codeOf(await post(session, bodies[1]))).toBe('replayed')
  })

  test('the owner’s own counter never goes back', async () => {
    const { session } = await recorded()
    expect(() => session.requestPass(4, new Uint8Array(1))).toThrow('already')
    expect(() => session.requestPass(3, new Uint8Array(1))).toThrow('already')
  })

  test('every altered, cut or foreign request is refused', async () => {
    const { session, bodies } = await recorded()
    const other = await recorded()
    for (const at of [0, 4, bodies[0].length - 1]) {
      const bad = bodies[0].slice()
      bad[at] ^= 1
      expect(await codeOf(await post(session, bad))).toBe('bad-mac')
    }
    expect(await codeOf(await post(session, other.bodies[0]))).toBe('bad-mac')
    expect(await codeOf(await post(session, bodies[0].slice(0, 20)))).toBe('malformed')
    expect(await codeOf(await post(session, new Uint8Array(70_000)))).toBe('oversized')
  })

  test('an engine that fails ends the session with a typed error that tells nothing', async () => {
    const { session, wire } = await start()
    await session.requestPass(1, Uint8Array.of(255))
    await expect(wire.receive()).rejects.toMatchObject({
      code: 'closed',
      message: 'An unexpected error ended the session.',
    })
    await expect(session.requestPass(2, Uint8Array.of(1, 1))).rejects.toMatchObject({ code: 'expired' })
  })
})

describe('limits', () => {
  test('sessions, in all and by address', async () => {
    const own = await startParties({ dealer: { admission: { sessionsPerPeer: 2 } } })
    try {
      await openSession(own.request())
      const second = await openSession(own.request())
      await expect(openSession(own.request())).rejects.toMatchObject({ code: 'too-many-sessions' })
      await second.close()
      await openSession(own.request())
    } finally {
      await own.close()
    }
  })

  test('the server refuses what the dealer would still take', async () => {
    const own = await startParties({ server: { maxSessions: 1 } })
    try {
      await openSession(own.request())
      await expect(openSession(own.request())).rejects.toMatchObject({ code: 'too-many-sessions' })
    } finally {
      await own.close()
    }
  })

  test('new sessions per minute', async () => {
    const own = await startParties({ dealer: { admission: { opensPerMinute: 2 } } })
    try {
      for (let n = 0; n < 2; n++) await (await openSession(own.request())).close()
      await expect(openSession(own.request())).rejects.toMatchObject({ code: 'rate-limited' })
    } finally {
      await own.close()
    }
  })

  test('unclaimed sessions', async () => {
    const own = await startParties({ server: { claimMs: 100 } })
    try {
      const unclaimed = await openSession(own.request())
      await new Promise((resolve) => setTimeout(resolve, 200))
      await expect(greetServer(await link(own), unclaimed)).rejects.toMatchObject({ code: 'expired' })
    } finally {
      await close()
      await own.close()
    }
  })

  test('passes dealt ahead, idle sessions', async () => {
    const own = await startParties({ dealer: { passesAhead: 3, idleMs: 2000 } })
    try {
      const { session, wire } = await start(own)
      for (let n = 1; n <= 3; n++) await session.requestPass(n, Uint8Array.of(1, n))
      await expect(session.requestPass(4, Uint8Array.of(1, 4))).rejects.toMatchObject({
        code: 'rate-limited',
      })
      await wire.send(Uint8Array.of(1, 1), true)
      await wire.receive()
      await new Promise((resolve) => setTimeout(resolve, 30))
      await session.requestPass(5, Uint8Array.of(1, 5))
      await expect(wire.receive()).rejects.toMatchObject({
        code: 'closed',
        message: expect.stringContaining('idle'),
      })
    } finally {
      await close()
      await own.close()
    }
  })
})

describe('server and dealer', () => {
  test('the dealer turns away servers that are not on its list', async () => {
    await expect(startParties({ dealer: { allow: [] }, readyMs: 500 })).rejects.toThrow('in time')
  }, 10_000)

  test('the server refuses another dealer than the one it pins', async () => {
    await expect(startParties({ dealer: { identity: newIdentity() } })).rejects.toMatchObject({
      code: 'wrong-dealer-key',
    })
  })

  test('a dealer that restarts gets the models again, and new sessions work', async () => {
    const dealerIdentity = newIdentity()
    const own = await startParties({ dealerIdentity, server: { times: { resumeMs: 300 } } })
    try {
      const { wire } = await start(own)
      await own.dealer.close()
      await expect(wire.receive()).rejects.toMatchObject({ code: 'closed' })
      await until(() => !own.server.material.ready)
      await own.restartDealer()
      await until(() => own.server.material.ready, 10_000)
      const again = await start(own)
      expect(await pass(again.session, again.wire, 1)).toEqual([10, 11, 12])
    } finally {
      await close()
      await own.close()
    }
  }, 20_000)

  test('losing the dealer ends running sessions', async () => {
    const own = await startParties()
    const { session, wire } = await start(own)
    await own.dealer.close()
    await expect(wire.receive()).rejects.toMatchObject({ code: 'closed' })
    await expect(session.requestPass(1, Uint8Array.of(1, 1))).rejects.toMatchObject({ name: 'SessionError' })
    await own.server.close()
  }, 15_000)
})

test('the list of models names the server’s key', async () => {
  const list = await fetchCards(parties.server.url)
  expect(list.serverKey).toBe(parties.request().serverKey)
})

test('no secret is ever logged, also where the engine quotes one', () => {
  const text = parties.logged.join('\n')
  expect(text).toContain('session opened')
  for (const seed of parties.dealerEngine.seeds) {
    const forms = [toBase64Url(seed), toHex(seed), Buffer.from(seed).toString('base64')]
    expect(forms.some((form) => text.includes(form))).toBe(false)
  }
  expect(text.includes(toBase64Url(fSeed))).toBe(false)
})
