import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { closeLinks, countPass, greet } from '../../../../test/support/session/owner.ts'
import { fSeed, type Parties, startParties, until } from '../../../../test/support/session/parties.ts'
import { toHex } from '../../../handshake/encoding.ts'
import { fetchListings } from '../../../handshake/listing.ts'
import { newIdentity } from '../../../handshake/node/key-file.ts'

let parties: Parties
beforeAll(async () => {
  parties = await startParties()
})
afterEach(closeLinks)
afterAll(() => parties.close())

describe('a session', () => {
  test.each(['ws', 'webrtc', 'fetch'] as const)(
    'over %s: keys agree, material arrives in order',
    async (choice) => {
      const { session, wire, greeting } = await greet(parties, choice)
      expect(greeting.fSeed).toEqual(fSeed)
      expect(parties.dealerEngine.seeds.at(-1)).toEqual(session.seed)
      expect(await countPass({ session, wire, greeting }, 1)).toEqual([10, 11, 12])
      expect(await countPass({ session, wire, greeting }, 5)).toEqual([50, 51, 52])
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
    const [a, b] = [await greet(parties), await greet(parties)]
    expect(toHex(a.session.seed)).not.toBe(toHex(b.session.seed))
    await a.session.requestPass(1, Uint8Array.of(1, 77))
    await b.session.requestPass(1, Uint8Array.of(1, 88))
    await b.wire.send(Uint8Array.of(1, 1), true)
    await a.wire.send(Uint8Array.of(1, 1), true)
    expect(await a.wire.receive()).toEqual(Uint8Array.of(77))
    expect(await b.wire.receive()).toEqual(Uint8Array.of(88))
  })

  test('a discarded pass is gone, later ones work', async () => {
    const { session, wire, greeting } = await greet(parties)
    await session.requestPass(1, Uint8Array.of(3, 1))
    await wire.send(Uint8Array.of(0, 1), true)
    await wire.receive()
    expect(await countPass({ session, wire, greeting }, 2)).toEqual([20, 21, 22])
    await wire.send(Uint8Array.of(1, 1), true)
    await expect(wire.receive()).rejects.toMatchObject({ code: 'closed' })
  })

  test('dealing ahead is bounded by bytes, and goes on as they are used', async () => {
    parties.dealerEngine.size = 4_000_000
    try {
      const { session, wire, greeting } = await greet(parties)
      expect(await countPass({ session, wire, greeting }, 1, 20)).toEqual(
        Array.from({ length: 20 }, (_, i) => 10 + i),
      )
    } finally {
      parties.dealerEngine.size = 1000
    }
  })

  test('the owner’s farewell ends it everywhere', async () => {
    const { session, wire } = await greet(parties)
    await until(() => parties.dealer.dealer.status.sessions === 1)
    await session.close()
    await expect(wire.receive()).rejects.toMatchObject({ code: 'closed' })
    expect(parties.dealer.dealer.status.sessions).toBe(0)
    expect(parties.dealerEngine.closed).toBe(parties.dealerEngine.seeds.length)
    await expect(session.requestPass(1, Uint8Array.of(1, 1))).rejects.toMatchObject({ code: 'expired' })
  })

  test('closing the link while the server waits for material ends the session, too', async () => {
    const { wire } = await greet(parties)
    const before = parties.server.sessions.count
    await wire.send(Uint8Array.of(1, 1), true)
    await new Promise((resolve) => setTimeout(resolve, 50))
    await wire.close()
    await until(() => parties.server.sessions.count === before - 1)
  })

  test('closing the link makes the dealer forget the seed', async () => {
    const { wire } = await greet(parties)
    const before = parties.dealerEngine.closed
    await wire.close()
    await until(() => parties.dealerEngine.closed > before)
  })
})

describe('server and dealer', () => {
  test('the dealer turns away servers that are not on its list', async () => {
    await expect(startParties({ dealer: { allow: [] }, readyMs: 500 })).rejects.toThrow('in time')
  })

  test('the server refuses another dealer than the one it pins', async () => {
    await expect(startParties({ dealer: { identity: newIdentity() } })).rejects.toMatchObject({
      code: 'wrong-dealer-key',
    })
  })

  test('a dealer that restarts gets the models again, and new sessions work', async () => {
    const dealerIdentity = newIdentity()
    const own = await startParties({ dealerIdentity, server: { times: { resumeMs: 300 } } })
    try {
      const { wire } = await greet(own)
      await own.dealer.close()
      await expect(wire.receive()).rejects.toMatchObject({ code: 'closed' })
      await until(() => !own.server.isReady)
      await own.restartDealer()
      await until(() => own.server.isReady, 10_000)
      const again = await greet(own)
      expect(await countPass(again, 1)).toEqual([10, 11, 12])
    } finally {
      await closeLinks()
      await own.close()
    }
  })

  test('losing the dealer ends running sessions', async () => {
    const own = await startParties()
    const { session, wire } = await greet(own)
    await own.dealer.close()
    await expect(wire.receive()).rejects.toMatchObject({ code: 'closed' })
    await expect(session.requestPass(1, Uint8Array.of(1, 1))).rejects.toMatchObject({ name: 'SessionError' })
    await own.server.close()
  })
})

test('the list of models names the server’s key', async () => {
  const list = await fetchListings(parties.server.url)
  expect(list.serverKey).toBe(parties.request().serverKey)
})
