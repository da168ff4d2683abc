/** A dealer with the real engine, of which more is asked than it can deal at once. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { closeLinks, greet } from '../../../../test/support/session/owner.ts'
import type { Parties } from '../../../../test/support/session/parties.ts'
import { servedPlans, startEngineParties } from '../../../../test/support/session/private-run.ts'
import { writeTinyBundle } from '../../../../test/support/session/tiny-bundle.ts'
import { createNodeKernels } from '../../../kernels/node/kernels.ts'
import { openSession } from '../agreement/agreement.ts'
import type { DealerPasses } from '../agreement/parties.ts'
import { encodeRequest } from '../session/pass-messages.ts'
import { PlanDealer } from './engine.ts'

const folder = mkdtempSync(join(tmpdir(), 'sotto-crowd-'))
let parties: Parties
/** What happened at the dealer, in order. */
const events: string[] = []
let isOpen = false

beforeAll(async () => {
  await writeTinyBundle(folder)
  const makeEngine = (): PlanDealer => {
    const dealer = new PlanDealer(createNodeKernels())
    const open = dealer.open.bind(dealer)
    /** Goes on dealing, pass by pass, until the newcomer is in: there is no end to a prompt before. */
    dealer.open = (hash, seed): DealerPasses => {
      const passes = open(hash, seed)
      return {
        ...passes,
        deal: async (request, sink, turn) => {
          events.push('begins')
          while (!isOpen) await open(hash, new Uint8Array(32)).deal(request, async () => undefined, turn)
          await passes.deal(request, sink, turn)
          events.push('done')
        },
      }
    }
    return dealer
  }
  parties = await startEngineParties(folder, {
    dealer: { makeEngine, scheduling: { queueMs: Number.POSITIVE_INFINITY } },
  })
})

afterAll(async () => {
  await closeLinks()
  await parties.close()
  rmSync(folder, { recursive: true })
})

test('a session is opened while 16 prompts are queued, of which two are being dealt', async () => {
  const [{ modelHash, planHash, profile }] = await servedPlans(parties.server.url)
  const own = { ...parties, request: () => parties.request({ modelHash, planHash, profile }) }
  const prompt = encodeRequest({ base: 0, rows: 64, serial: 0 })
  for (let n = 0; n < 16; n++) {
    const { session } = await greet(own)
    await session.requestPass(1, prompt)
  }
  await openSession(own.request())
  events.push('opened')
  isOpen = true
  await expect.poll(() => events.filter((event) => event === 'done')).toHaveLength(16)
  expect(events.slice(0, 3)).toEqual(['begins', 'begins', 'opened'])
})
