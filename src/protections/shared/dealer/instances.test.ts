/** Two processes with one server's key, as while one is replaced by the next. */

import pino from 'pino'
import { afterEach, expect, test } from 'vitest'
import { closeLinks, countPass, greet } from '../../../../test/support/session/owner.ts'
import { CountingServer, modelHash, startParties, until } from '../../../../test/support/session/parties.ts'
import { fromBase64Url, toHex } from '../../../handshake/encoding.ts'
import { newIdentity } from '../../../handshake/node/key-file.ts'
import { openSession } from '../agreement/agreement.ts'
import { SharedServing } from '../serving.ts'

afterEach(closeLinks)

test('both stay connected, and a session is dealt to the one that its owner comes to', async () => {
  const identity = newIdentity()
  const own = await startParties({ serverIdentity: identity })
  const { dealerUrl, dealerKey } = own.request()
  const second = new SharedServing({
    engine: new CountingServer(),
    identity,
    log: pino({ level: 'silent' }),
    dealer: { url: dealerUrl, key: fromBase64Url(dealerKey, 32) },
  })
  try {
    await second.whenReady()
    await until(() => own.dealer.dealer.status.models === 2)
    expect(own.server.isReady).toBe(true)
    const atFirst = await greet(own)
    const session = await openSession(own.request())
    // Asked for before anybody knows where the owner goes.
    await session.requestPass(1, Uint8Array.of(2, 40))
    const material = second.material.claim(session.sessionId, toHex(session.transcript), modelHash)
    expect([(await material.next(1))[0], (await material.next(1))[0]]).toEqual([40, 41])
    expect(await countPass(atFirst, 1)).toEqual([10, 11, 12])
    expect(own.server.isReady && second.isReady).toBe(true)
    await second.stop()
    expect(await countPass(atFirst, 2)).toEqual([20, 21, 22])
    expect(await countPass(await greet(own), 1)).toEqual([10, 11, 12])
  } finally {
    await closeLinks()
    await second.stop()
    await own.close()
  }
})
