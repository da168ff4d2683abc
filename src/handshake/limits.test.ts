import { afterEach, describe, expect, test } from 'vitest'
import { closeLinks, greet, openLink } from '../../test/support/session/owner.ts'
import { startParties } from '../../test/support/session/parties.ts'
import { Admission } from '../protections/shared/agreement/admission.ts'
import { greetServer, openSession } from '../protections/shared/agreement/agreement.ts'

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

  test('passes of an hour, over all sessions of an address', async () => {
    const own = await startParties({ dealer: { admission: { passesPerHour: 3 } } })
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

  test('the next hour has passes again', () => {
    const admission = new Admission({ passesPerHour: 2 })
    admission.countPass('a', 0)
    admission.countPass('a', 1000)
    expect(() => admission.countPass('a', 3_599_999)).toThrow('this hour')
    admission.countPass('b', 3_599_999)
    admission.countPass('a', 3_600_000)
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
