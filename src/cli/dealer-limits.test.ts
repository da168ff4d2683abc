/** Each limit that `sotto deal` takes reaches the dealer, under its own name and in its own unit. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { startDealer } from '../protections/shared/dealer/start.ts'
import { dealCommand } from './commands/deal.ts'

const folder = mkdtempSync(join(tmpdir(), 'sotto-limits-'))
afterAll(() => rmSync(folder, { recursive: true }))
vi.mock('../protections/shared/dealer/start.ts')
afterEach(() => {
  vi.resetAllMocks()
})

/** What a dealer is started with by this command line. */
async function started(...args: string[]) {
  const stop = new Error('far enough')
  vi.mocked(startDealer).mockRejectedValueOnce(stop)
  const common = ['--allow-any', '--workers', '0', '--log-level', 'silent', '--key', join(folder, 'key.pem')]
  await expect(dealCommand.parseAsync([...args, ...common], { from: 'user' })).rejects.toBe(stop)
  return vi.mocked(startDealer).mock.calls[0][0]
}

test.each([
  ['--max-sessions', { admission: { sessions: 7 } }],
  ['--max-sessions-per-address', { admission: { sessionsPerPeer: 7 } }],
  ['--opens-per-minute', { admission: { opensPerMinute: 7 } }],
  ['--rows-per-hour', { admission: { rowsPerHour: 7 } }],
  ['--megabytes-per-hour', { admission: { dealtBytesPerHour: 7e6 } }],
  ['--material-megabytes', { material: { materialBytes: 7 << 20 } }],
  ['--material-megabytes-per-address', { material: { materialBytesPerPeer: 7 << 20 } }],
  ['--material-megabytes-per-session', { material: { materialAheadBytes: 7 << 20 } }],
  ['--queued-deals', { scheduling: { queuedDeals: 7 } }],
  ['--queued-deals-per-address', { scheduling: { queuedDealsPerPeer: 7 } }],
])('%s', async (option, limits) => {
  const { scheduling, material, admission } = await started(option, '7')
  expect({ scheduling, material, admission }).toEqual({
    scheduling: {},
    material: {},
    admission: {},
    ...limits,
  })
})
