import { expect, test } from 'vitest'
import { newMac } from '../../../handshake/crypto.ts'
import { limits } from '../../../handshake/limits.ts'
import { sealPass } from '../agreement/pass-request.ts'
import { Scheduler } from '../scheduling/scheduler.ts'
import { MaterialPool } from './material-pool.ts'
import type { ServerConnection } from './server-connection.ts'
import { DealerSession } from './session.ts'

/** A session of one server, and what became of it. */
async function startSession({ pieces, awaitsBegin = false }: { pieces: number; awaitsBegin?: boolean }) {
  const mac = await newMac(new Uint8Array(32))
  const [sent, made, ended]: number[][] = [[], [], []]
  const faults: unknown[] = []
  const server = {
    chunk: async (_: string, pass: number) => {
      sent.push(pass)
      if (pass === 1 && sent.length === 5) session.at(server).used(1)
    },
    endPass: async (_: string, pass: number) => void ended.push(pass),
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
        for (let n = 0; n < pieces; n++) {
          made.push(pass)
          await sink(new Uint8Array(8))
        }
      },
      close: () => undefined,
    }),
    connections: [server],
    awaitsBegin,
    countPass: () => undefined,
    onClaim: () => undefined,
    onEnd: (reason) => faults.push(reason),
    onFault: (error) => faults.push(error),
  })
  const ask = async (pass: number) => session.request(await sealPass(mac, 'a', pass, Uint8Array.of(pass)))
  return { events: session.at(server), ask, sent, made, ended, faults }
}

test('a pass that the server has discarded is not dealt on, and the session lives', async () => {
  const { events, ask, sent, made, faults } = await startSession({ pieces: 100 })
  events.claimed()
  for (const pass of [1, 2]) await ask(pass)
  await expect.poll(() => sent.length).toBe(105)
  expect(made.filter((pass) => pass === 1)).toHaveLength(6)
  expect(faults).toEqual([])
})

test('where passes are metered, one is dealt once its owner has begun it at the server, and no other', async () => {
  const { events, ask, made, ended, faults } = await startSession({ pieces: 1, awaitsBegin: true })
  for (const pass of [1, 2]) await ask(pass)
  events.claimed()
  for (const pass of [3, 4]) await ask(pass)
  events.begun(2)
  await expect.poll(() => ended).toEqual([2])
  // A begin may be seen before what asks for the pass has come.
  events.begun(6)
  for (const pass of [5, 6, 7]) await ask(pass)
  await expect.poll(() => ended).toEqual([2, 6])
  expect(made).toEqual([2, 6])
  expect(faults).toEqual([])
})

test('where they are not, passes are dealt as they are asked for', async () => {
  const { events, ask, ended } = await startSession({ pieces: 1 })
  for (const pass of [1, 2]) await ask(pass)
  events.claimed()
  await ask(3)
  await expect.poll(() => ended).toEqual([1, 2, 3])
})
