/** Audits between real parties: what the dealer deals is changed inside its own process. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { coin } from '../../../../test/support/protocol/coin.ts'
import { type Parties, until } from '../../../../test/support/session/parties.ts'
import { openOwner, startEngineParties } from '../../../../test/support/session/private-run.ts'
import { writeTinyBundle } from '../../../../test/support/session/tiny-bundle.ts'
import { createNodeKernels } from '../../../kernels/node/kernels.ts'
import type { Bundle } from '../../../model/files/bundle-node.ts'
import { dialLink } from '../../../transport/dial.ts'
import { makeWebSocket } from '../../../transport/node/ws.ts'
import { webSocketDial } from '../../../transport/websocket.ts'
import type { DealerEngine } from '../agreement/parties.ts'
import { PlanDealer } from '../dealer/engine.ts'
import type { Audits } from '../session/audit.ts'

const folder = mkdtempSync(join(tmpdir(), 'sotto-'))
let bundle: Bundle
let parties: Parties
/** A byte of every pass that the dealer changes. */
let wrong: number | undefined
beforeAll(async () => {
  bundle = await writeTinyBundle(folder)
  const makeEngine = (): DealerEngine => {
    const engine = new PlanDealer(createNodeKernels())
    const open: DealerEngine['open'] = (hash, seed) => {
      const passes = engine.open(hash, seed)
      return {
        costOf: (request) => passes.costOf(request),
        close: () => passes.close(),
        deal: (request, sink, turn) => {
          let sent = 0
          const changing = (chunk: Uint8Array): Promise<void> => {
            const at = (wrong ?? Number.POSITIVE_INFINITY) - sent
            sent += chunk.length
            if (at < 0 || at >= chunk.length) return sink(chunk)
            const other = chunk.slice()
            other[at]++
            return sink(other)
          }
          return passes.deal(request, changing, turn)
        },
      }
    }
    return {
      open,
      registerModel: (...model) => engine.registerModel(...model),
      close: () => engine.close(),
    }
  }
  parties = await startEngineParties(folder, { dealer: { makeEngine } })
})
afterAll(async () => {
  await parties.close()
  rmSync(folder, { recursive: true })
})

/** An owner whose coin falls so, and who takes the server's signatures for what `signed` makes of them. */
function owner(falls: boolean[], signed: (pass: number) => number = (pass) => pass) {
  const connect = () => dialLink('ws', webSocketDial(`${parties.server.url}/api/link`, makeWebSocket()))
  return openOwner(
    parties,
    bundle,
    connect,
    undefined,
    (agreement): Audits => ({
      ...coin(falls, 2),
      isSigned: (pass, isRight, signature) => agreement.isVerdict(signed(pass), isRight, signature),
      dealer: agreement.request.dealerUrl,
    }),
  )
}

test('an honest dealer passes, by a verdict that bears the server’s signature', async () => {
  wrong = undefined
  const { session, ends, close } = await owner([true, false, true])
  await session.run(0, ends.embed([1, 5, 9], 0), { next: true })
  await session.run(0, ends.embed([1, 5], 0), { next: true })
  expect(session.totals).toMatchObject({ passes: 2, audited: 6 })
  expect(session.totals.auditBytes).toBeGreaterThan(0)
  await close()
})

test('a dealer that changes a word ends the session at all parties, and is named', async () => {
  wrong = 4321
  const { session, ends, close } = await owner([false, true])
  // What is not audited is not found.
  await session.run(0, ends.embed([1, 5, 9], 0), { next: true })
  const failed = { code: 'audit-failed', message: expect.stringContaining(parties.request().dealerUrl) }
  await expect(session.run(0, ends.embed([1, 5, 9], 0), { next: true })).rejects.toMatchObject(failed)
  await until(() => parties.logged.some((line) => line.includes('audit-failed')))
  await until(() => parties.dealer.dealer.status.sessions === 0)
  await close()
})

test('a verdict on another pass is none', async () => {
  wrong = undefined
  const { session, ends, close } = await owner([true], (pass) => pass + 1)
  await expect(session.run(0, ends.embed([1, 5, 9], 0))).rejects.toMatchObject({ code: 'wrong-server-key' })
  await close()
})
