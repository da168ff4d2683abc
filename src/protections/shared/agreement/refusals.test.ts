import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { closeLinks, countPass, greet, openLink } from '../../../../test/support/session/owner.ts'
import { fSeed, modelHash, type Parties, startParties } from '../../../../test/support/session/parties.ts'
import { toBase64Url, toHex } from '../../../handshake/encoding.ts'
import { newIdentity } from '../../../handshake/node/key-file.ts'
import { type Agreement, greetServer, openSession } from './agreement.ts'

let parties: Parties
beforeAll(async () => {
  parties = await startParties()
})
afterEach(closeLinks)
afterAll(() => parties.close())

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
    const { session } = await greet(parties)
    await expect(greetServer(await openLink(parties), session)).rejects.toMatchObject({ code: 'replayed' })
  })

  test('a busy dealer is asked again when it says so, with the same bytes', async () => {
    const asked: string[] = []
    const busy = { code: 'busy', message: 'The dealer is busy.', retryAfter: 0.01 }
    const fetch: typeof globalThis.fetch = async (url, init) => {
      if (!String(url).endsWith('/pass')) return globalThis.fetch(url, init)
      asked.push(Buffer.from(init?.body as Uint8Array).toString('hex'))
      return asked.length < 3 ? Response.json({ error: busy }, { status: 503 }) : globalThis.fetch(url, init)
    }
    const own = { ...parties, request: () => parties.request({ fetch }) }
    expect(await countPass(await greet(own), 1)).toEqual([10, 11, 12])
    expect(new Set(asked).size).toBe(1)
    expect(asked).toHaveLength(3)
  })

  test('a dealer with too much to deal says when to ask again', async () => {
    const own = await startParties({ dealer: { scheduling: { queuedDeals: 0 } } })
    try {
      const refused: Response[] = []
      const fetch: typeof globalThis.fetch = async (url, init) => {
        const response = await globalThis.fetch(url, init)
        if (response.ok) return response
        refused.push(response)
        return Response.json({ error: { code: 'expired', message: 'Enough.' } }, { status: 410 })
      }
      const { session } = await greet({ ...own, request: () => own.request({ fetch }) })
      await expect(session.requestPass(1, Uint8Array.of(1, 1))).rejects.toMatchObject({ code: 'expired' })
      expect(refused[0].status).toBe(503)
      expect(Number(refused[0].headers.get('retry-after'))).toBeGreaterThan(0)
    } finally {
      await closeLinks()
      await own.close()
    }
  })

  test('a session that the dealer never announced', async () => {
    const session = await openSession(parties.request())
    const stranger = Object.assign(Object.create(session), { sessionId: '00'.repeat(16) }) as Agreement
    await expect(greetServer(await openLink(parties), stranger)).rejects.toMatchObject({ code: 'expired' })
  })

  test('another transcript than the dealer’s', async () => {
    const session = await openSession(parties.request())
    const transcript = session.transcript.slice()
    transcript[0] ^= 1
    const other = Object.assign(Object.create(session), { transcript }) as Agreement
    await expect(greetServer(await openLink(parties), other)).rejects.toMatchObject({ code: 'plan-mismatch' })
  })

  test('another server than the announced one', async () => {
    const session = await openSession(parties.request())
    const request = { ...session.request, serverKey: toBase64Url(newIdentity().publicKey) }
    const other = Object.assign(Object.create(session), { request }) as Agreement
    await expect(greetServer(await openLink(parties), other)).rejects.toMatchObject({
      code: 'wrong-server-key',
    })
  })

  test('a link that does not begin with a greeting', async () => {
    const wire = await openLink(parties)
    await wire.send(new TextEncoder().encode('{"t":"hello","protocolVersion":"x"}'), true)
    expect(JSON.parse(new TextDecoder().decode(await wire.receive()))).toMatchObject({
      t: 'refused',
      code: 'malformed',
    })
    await expect(wire.receive()).rejects.toMatchObject({ code: 'closed' })
  })

  test('another protocol version', async () => {
    const wire = await openLink(parties)
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
  const post = (session: Agreement, body: Uint8Array<ArrayBuffer>) =>
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
    const { session, wire } = await greet(parties)
    await session.requestPass(1, Uint8Array.of(255))
    await expect(wire.receive()).rejects.toMatchObject({
      code: 'closed',
      message: 'An unexpected error ended the session.',
    })
    await expect(session.requestPass(2, Uint8Array.of(1, 1))).rejects.toMatchObject({ code: 'expired' })
  })
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
