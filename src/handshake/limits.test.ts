import { afterEach, describe, expect, test } from 'vitest'
import { closeLinks, greet, openLink } from '../../test/support/session/owner.ts'
import { startParties } from '../../test/support/session/parties.ts'
import { Admission } from '../protections/shared/agreement/admission.ts'
import { type Agreement, greetServer, openSession } from '../protections/shared/agreement/agreement.ts'

afterEach(closeLinks)

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
      await greet(own)
      await expect(openSession(own.request())).rejects.toMatchObject({ code: 'too-many-sessions' })
    } finally {
      await closeLinks()
      await own.close()
    }
  })

  test('an opening takes no place: of two only the one that comes to the server first gets it', async () => {
    for (const options of [{ server: { maxSessions: 1 } }, { dealer: { admission: { sessions: 1 } } }]) {
      const own = await startParties(options)
      try {
        const [first, second] = [await openSession(own.request()), await openSession(own.request())]
        await greetServer(await openLink(own), second)
        const late = async () => {
          const link = await openLink(own)
          await greetServer(link, first)
          // The dealer hears of a claim after the server: the session ends as soon as it has.
          await link.receive()
        }
        await expect(late()).rejects.toMatchObject({
          message: expect.stringMatching(/no free|sessions are taken/i),
        })
      } finally {
        await closeLinks()
        await own.close()
      }
    }
  })

  test('of too many unclaimed sessions the oldest goes, and a newcomer gets in', async () => {
    const own = await startParties({ dealer: { admission: { unclaimedSessions: 3 } } })
    try {
      const sessions: Agreement[] = []
      for (let n = 0; n < 4; n++) sessions.push(await openSession(own.request()))
      expect(own.dealer.dealer.status.sessions).toBe(3)
      await expect(greetServer(await openLink(own), sessions[0])).rejects.toMatchObject({ code: 'expired' })
      for (const session of sessions.slice(1)) await greetServer(await openLink(own), session)
      // Claimed ones are not in the way any more.
      await openSession(own.request())
      expect(own.dealer.dealer.status.sessions).toBe(4)
    } finally {
      await closeLinks()
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

  test('rows of an hour, over all sessions of an address', async () => {
    const own = await startParties({ dealer: { admission: { rowsPerHour: 3 } } })
    try {
      const [a, b] = [await greet(own), await greet(own)]
      await a.session.requestPass(1, Uint8Array.of(1, 1))
      await a.session.requestPass(2, Uint8Array.of(1, 2))
      await b.session.requestPass(1, Uint8Array.of(1, 1))
      for (const { session } of [a, b])
        await expect(session.requestPass(5, Uint8Array.of(1, 5))).rejects.toMatchObject({
          code: 'rate-limited',
          message: expect.stringContaining('this hour'),
        })
    } finally {
      await closeLinks()
      await own.close()
    }
  })

  test('bytes dealt within an hour, by what passes declare', async () => {
    const own = await startParties({ dealer: { admission: { dealtBytesPerHour: 4500 } } })
    try {
      const { session } = await greet(own)
      await session.requestPass(1, Uint8Array.of(3, 1))
      await expect(session.requestPass(2, Uint8Array.of(2, 1))).rejects.toMatchObject({
        code: 'rate-limited',
      })
      await session.requestPass(3, Uint8Array.of(1, 1))
    } finally {
      await closeLinks()
      await own.close()
    }
  })

  test('the next hour has rows again', () => {
    const admission = new Admission({ rowsPerHour: 20 })
    const cost = { rows: 10, bytes: 0 }
    admission.countPass('a', cost, 0)
    admission.countPass('a', cost, 1000)
    expect(() => admission.countPass('a', cost, 3_599_999)).toThrow('this hour')
    admission.countPass('b', cost, 3_599_999)
    expect(() => admission.countPass('b', { rows: 11, bytes: 0 }, 3_599_999)).toThrow('this hour')
    admission.countPass('a', cost, 3_600_000)
  })

  test('eight busy addresses leave a ninth its place among the unclaimed, and in the house', () => {
    const admission = new Admission({ sessions: 2 })
    const evicted: string[] = []
    for (let n = 0; n < 256; n++) {
      const peer = `busy ${n % 8}`
      const place = admission.open(peer, () => {
        evicted.push(peer)
        place.release()
      })
    }
    const own = admission.open('ninth', () => evicted.push('ninth'))
    for (let n = 0; n < 20; n++) admission.open(`other ${n}`, () => undefined)
    own.claim()
    own.claim()
    expect(evicted).not.toContain('ninth')
    const second = admission.open('tenth', () => undefined)
    second.claim()
    expect(() => admission.open('eleventh', () => undefined)).toThrow('taken')
    own.release()
    own.release()
    admission.open('eleventh', () => undefined).claim()
    expect(() => admission.open('twelfth', () => undefined)).toThrow('taken')
  })

  test('unclaimed sessions', async () => {
    const own = await startParties({ server: { claimMs: 100 } })
    try {
      const unclaimed = await openSession(own.request())
      await new Promise((resolve) => setTimeout(resolve, 200))
      await expect(greetServer(await openLink(own), unclaimed)).rejects.toMatchObject({ code: 'expired' })
    } finally {
      await closeLinks()
      await own.close()
    }
  })

  test('passes dealt ahead, idle sessions', async () => {
    const own = await startParties({ dealer: { passesAhead: 3, idleMs: 5000 } })
    try {
      const { session, wire } = await greet(own)
      for (let n = 1; n <= 3; n++) await session.requestPass(n, Uint8Array.of(1, n))
      await expect(session.requestPass(4, Uint8Array.of(1, 4))).rejects.toMatchObject({
        code: 'rate-limited',
      })
      await wire.send(Uint8Array.of(1, 1), true)
      await wire.receive()
      // As soon as the dealer has heard that the first one is used up.
      const isDealt = () =>
        session.requestPass(5, Uint8Array.of(1, 5)).then(
          () => true,
          () => false,
        )
      await expect.poll(isDealt).toBe(true)
      await expect(wire.receive()).rejects.toMatchObject({
        code: 'closed',
        message: expect.stringContaining('idle'),
      })
    } finally {
      await closeLinks()
      await own.close()
    }
  })
})
