/** What a crowd of strangers writes into the logs of server and dealer. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { closeLinks, greet } from '../../../../test/support/session/owner.ts'
import { type Parties, startParties, until } from '../../../../test/support/session/parties.ts'

/** All of it happens at once, however slow the machine is. */
vi.mock('../../../handshake/refusals.ts', async (original) => {
  const { Refusals } = await original<typeof import('../../../handshake/refusals.ts')>()
  return {
    Refusals: class extends Refusals {
      constructor(log: ConstructorParameters<typeof Refusals>[0]) {
        super(log, () => 0)
      }
    },
  }
})

let parties: Parties
beforeAll(async () => {
  parties = await startParties({ dealer: { admission: { opensPerMinute: 1000 } } })
})
afterAll(async () => {
  await closeLinks()
  await parties.close()
})

test('sessions that come and go write few lines', async () => {
  const lines = (message: string) => parties.logged.filter((line) => line.includes(`"msg":"${message}"`))
  for (let n = 0; n < 25; n++) {
    await greet(parties)
    await closeLinks()
  }
  await until(() => parties.dealer.dealer.status.sessions === 0)
  expect(lines('session opened')).toHaveLength(10)
  expect(lines('session started')).toHaveLength(10)
  // Of the dealer and the server.
  expect(lines('session ended')).toHaveLength(20)
})
