import { expect, test } from 'vitest'
import { newMac } from '../../../handshake/crypto.ts'
import { limits } from '../../../handshake/limits.ts'
import { sealPass } from '../agreement/pass-request.ts'
import { Scheduler } from '../scheduling/scheduler.ts'
import { MaterialPool } from './material-pool.ts'
import type { ServerConnection } from './server-connection.ts'
import { DealerSession } from './session.ts'

test('a pass that the server has discarded is not dealt on, and the session lives', async () => {
  const mac = await newMac(new Uint8Array(32))
  const sent: number[] = []
  const made: number[] = []
  const faults: unknown[] = []
  const server = {
    chunk: async (_: string, pass: number) => {
      sent.push(pass)
      if (pass === 1 && sent.length === 5) session.at(server).used(1)
    },
    endPass: async () => undefined,
    endSession: async () => undefined,
  } as unknown as ServerConnection
  const session: DealerSession = new DealerSession({
    id: 'a',
    peer: 'b',
    scheduler: new Scheduler(),
    account: new MaterialPool({ ...limits }).open('b', () => undefined),
    mac,
    openPasses: () => ({
      costOf: () => ({ rows: 1, bytes: 8, rowsIn: 1 }),
      deal: async ([pass], sink) => {
        for (let n = 0; n < 100; n++) {
          made.push(pass)
          await sink(new Uint8Array(8))
        }
      },
      close: () => undefined,
    }),
    connections: [server],
    countPass: () => undefined,
    onClaim: () => undefined,
    onEnd: (reason) => faults.push(reason),
    onFault: (error) => faults.push(error),
  })
  session.at(server).claimed()
  for (const pass of [1, 2]) await session.request(await sealPass(mac, 'a', pass, Uint8Array.of(pass)))
  await expect.poll(() => sent.length).toBe(105)
  expect(made.filter((pass) => pass === 1)).toHaveLength(6)
  expect(faults).toEqual([])
})
