/** Passes at the server go by turns, and who comes to a crowded one is told when to come again. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { openLink } from '../../../../test/support/session/owner.ts'
import type { Parties } from '../../../../test/support/session/parties.ts'
import { largestError, openOwner, startEngineParties } from '../../../../test/support/session/private-run.ts'
import { writeTinyBundle } from '../../../../test/support/session/tiny-bundle.ts'
import { pageConfig } from '../../../cli/page-config.ts'
import { SessionError } from '../../../handshake/errors.ts'
import type { Bundle } from '../../../model/files/bundle-node.ts'
import { nodeOwner } from '../../../owner/node/owner.ts'
import { planDealtBytes } from '../cost.ts'
import { rowChunksOf } from '../row-chunks.ts'
import { Scheduler } from '../scheduling/scheduler.ts'
import { modelPlans } from '../session/model-plan.ts'
import type { Job } from '../session/turn.ts'
import { PlanServer } from './engine.ts'

const folder = mkdtempSync(join(tmpdir(), 'sotto-turns-'))
let bundle: Bundle
let parties: Parties
beforeAll(async () => {
  bundle = await writeTinyBundle(folder)
  parties = await startEngineParties(folder)
})
afterEach(() => void vi.restoreAllMocks())
afterAll(async () => {
  await parties.close()
  rmSync(folder, { recursive: true })
})

test('every message of a pass waits for its turn, by its owner’s address and its share of the pass', async () => {
  const jobs: Job[] = []
  const { submit } = Scheduler.prototype
  vi.spyOn(Scheduler.prototype, 'submit').mockImplementation(function (this: Scheduler, job) {
    jobs.push(job)
    return submit.call(this, job)
  })
  const owner = await openOwner(parties, bundle, () => openLink(parties, 'ws'))
  jobs.length = 0
  expect(await largestError(owner, bundle, [[1, 5, 9, 33], [8]])).toBeLessThan(0.02)
  await owner.session.drop()
  await owner.close()
  const plans = modelPlans(bundle.manifest)
  for (const [base, rows] of [
    [0, 4],
    [4, 1],
  ]) {
    const shape = plans.shapeOf({ base, rows, serial: base })
    const { plan, schedule } = plans.of(shape)
    const cost = planDealtBytes(rowChunksOf(shape), plan) / schedule.messages.length
    const own = jobs.filter((job) => job.rows === rows && job.cost === cost)
    // All of the owner's messages but the one that it sends ahead.
    const due = schedule.programs.server.filter(({ kind }) => kind === 'receive').length - 1
    expect(own).toHaveLength(due)
    expect(new Set(own.map(({ peer }) => peer))).toEqual(new Set(['127.0.0.1']))
    expect(new Set(own.map(({ session }) => session)).size).toBe(1)
  }
})

test('an owner that a crowded server puts off comes again by itself', async () => {
  const check = vi.spyOn(PlanServer.prototype, 'check').mockImplementationOnce(() => {
    throw new SessionError('busy', 'Many others wait.', { retryAfter: 1 })
  })
  const { dealerUrl, dealerKey } = parties.request()
  const owner = nodeOwner(pageConfig(parties.server.url, { url: dealerUrl, key: dealerKey }))
  await owner.open({ model: 'tiny', link: 'ws' }, () => undefined)
  expect(check).toHaveBeenCalledTimes(2)
  await owner.close()
})
