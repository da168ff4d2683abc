/** A dealer's limits of what is dealt and not used, at real parties: the server's owners ask, and use nothing. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { closeLinks, greet } from '../../../../test/support/session/owner.ts'
import type { Parties } from '../../../../test/support/session/parties.ts'
import { servedPlans, startEngineParties } from '../../../../test/support/session/private-run.ts'
import { writeTinyBundle } from '../../../../test/support/session/tiny-bundle.ts'
import { createNodeKernels } from '../../../kernels/node/kernels.ts'
import { CHUNK_BYTES } from '../session/material-stream.ts'
import { encodeRequest } from '../session/pass-messages.ts'
import { PlanDealer } from './engine.ts'
import type { PoolLimits } from './material-pool.ts'

let parties: Parties
const folder = mkdtempSync(join(tmpdir(), 'sotto-limits-'))
afterEach(async () => {
  await closeLinks()
  await parties.close()
  rmSync(folder, { recursive: true, force: true })
})

test.each<[string, Partial<PoolLimits>, sessions: number, most: number]>([
  ['a session', { materialAheadBytes: 2 * CHUNK_BYTES }, 2, 4 * CHUNK_BYTES],
  ['an address', { materialBytesPerPeer: 3 * CHUNK_BYTES }, 3, 3 * CHUNK_BYTES],
  ['the process', { materialBytes: 4 * CHUNK_BYTES }, 3, 4 * CHUNK_BYTES],
])('what is dealt ahead for %s stays within its limit', async (_, material, sessions, most) => {
  await writeTinyBundle(folder)
  let [dealt, waiting] = [0, 0]
  const makeEngine = (): PlanDealer => {
    const dealer = new PlanDealer(createNodeKernels())
    const open = dealer.open.bind(dealer)
    dealer.open = (hash, seed) => {
      const passes = open(hash, seed)
      return {
        ...passes,
        deal: (request, sink, turn) => {
          const counting = async (chunk: Uint8Array): Promise<void> => {
            waiting++
            await sink(chunk)
            waiting--
            dealt += chunk.length
          }
          return passes.deal(request, counting, turn)
        },
      }
    }
    return dealer
  }
  parties = await startEngineParties(folder, { dealer: { makeEngine, material } })
  const [{ modelHash, planHash, profile }] = await servedPlans(parties.server.url)
  const own = { ...parties, request: () => parties.request({ modelHash, planHash, profile }) }
  for (let n = 0; n < sessions; n++) {
    const { session } = await greet(own)
    await session.requestPass(1, encodeRequest({ base: 0, rows: 48, serial: 0 }))
  }
  // Each has a piece that it may not send.
  await expect.poll(() => [dealt, waiting]).toEqual([most, sessions])
})
