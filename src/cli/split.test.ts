/** Split custody with real processes: the command line's own keys, both split bundles, an owner in this process. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeTinyBundle } from '../../test/support/session/tiny-bundle.ts'
import { splitBundle } from '../../tools/split/split.ts'
import { loadIdentity } from '../handshake/node/key-file.ts'
import { createNodeKernels } from '../kernels/node/kernels.ts'
import { nodeOwner } from '../owner/node/owner.ts'
import { pageConfig } from './page-config.ts'
import { type Processes, startProcesses } from './processes.ts'

let folder: string
let processes: Processes | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-split-'))
})
afterEach(async () => {
  await processes?.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function start(dealerModels?: string): Promise<Processes> {
  await writeTinyBundle(folder)
  const keys = join(folder, 'keys')
  const publicKey = (name: string) => loadIdentity(join(keys, name)).publicKey
  await splitBundle({
    bundle: join(folder, 'tiny'),
    out: join(folder, 'split'),
    keys: { server: publicKey('server.pem'), dealer: publicKey('dealer.pem') },
    kernels: createNodeKernels(),
  })
  return startProcesses({
    models: join(folder, 'split', 'server'),
    dealerModels,
    host: '127.0.0.1',
    serverPort: 0,
    dealerPort: 0,
    origins: [],
    tlsArgs: [],
    logLevel: 'silent',
    keys,
  })
}

test('split bundles that the command line made are served by the processes that they were made for', async () => {
  processes = await start(join(folder, 'split', 'dealer'))
  expect(processes.server.models).toEqual(['tiny'])
  const owner = nodeOwner(pageConfig(processes.server.url, processes.dealer, 0))
  try {
    await owner.open({ model: 'tiny', link: 'ws' }, () => undefined)
    const options = { temperature: 0, topP: 1, seed: 1, maxTokens: 3 }
    const { ids } = await owner.chat([{ role: 'user', content: 'Hello' }], options)
    expect(ids.length).toBeGreaterThan(0)
    // A model of one layer whose weights are split takes 22 or more hops a pass.
    expect(owner.totals().hops).toBeGreaterThanOrEqual(22 * ids.length)
  } finally {
    await owner.close()
  }
})

test('a server whose dealer lacks its split bundle does not stay up', async () => {
  await expect(start()).rejects.toThrow('The model server has ended')
})
