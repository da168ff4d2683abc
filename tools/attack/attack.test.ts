import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pageConfig } from '../../src/cli/page-config.ts'
import { type Bundle, writeBundle } from '../../src/model/files/bundle-node.ts'
import { nodePlatform } from '../../src/owner/node/platform.ts'
import type { Parties } from '../../test/support/session/parties.ts'
import { startEngineParties } from '../../test/support/session/private-run.ts'
import { writeTinyBundle } from '../../test/support/session/tiny-bundle.ts'
import { writeTinyClassifier } from '../../test/support/session/tiny-classifier.ts'
import { serveSplit, splitTiny } from '../../test/support/split-bundle.ts'
import { type AttackReport, queriesFor } from './attack.ts'
import { attackModel } from './run.ts'

const platform = nodePlatform()
let folder: string
let whole: Bundle
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-attack-'))
  whole = await writeTinyBundle(folder)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function run(parties: Parties, bundle: string, queries: number): Promise<AttackReport> {
  const { dealerKey } = parties.request()
  const config = pageConfig(parties.server.url, { url: parties.dealer.url, key: dealerKey }, 0)
  try {
    return await attackModel({ bundle, config, platform, queries })
  } finally {
    await parties.close()
  }
}

/** The tiny model with other tensors private, in a folder of its own. */
async function variant(name: string, visibility: 'public' | 'private'): Promise<string> {
  const { manifest, tokenizer, tensors } = whole
  const { files: _f, format: _t, tensors: _l, ...about } = manifest
  await writeBundle(join(folder, name, 'tiny'), {
    ...about,
    tokenizer,
    tensors,
    visibility: () => visibility,
  })
  return join(folder, name, 'tiny')
}

describe('a modified owner', () => {
  it('reads the rows of the last private matrix through hidden states, about one a query', async () => {
    const report = await run(await startEngineParties(folder), join(folder, 'tiny'), 100)
    expect(report).toMatchObject({ matrix: '0.down', rows: 48, columns: 32, released: 'hidden state' })
    const { queries, rows, leastCosine } = report.learned.at(-1)!
    expect(rows).toBe(48)
    expect(queries).toBe(queriesFor(48, 'hidden state'))
    expect(queries).toBe(53)
    expect(leastCosine).toBeGreaterThan(0.999)
    expect(report.chanceCosine).toBeLessThan(0.5)
  })

  it('reads a private head through logits, one row a query', async () => {
    const bundle = await variant('private-head', 'private')
    const report = await run(await startEngineParties(join(folder, 'private-head')), bundle, 20)
    expect(report).toMatchObject({ matrix: '1.head', rows: 32, columns: 270, released: 'logits' })
    expect(report.learned.at(-1)).toMatchObject({ queries: 20, rows: 18 })
    expect(report.learned.at(-1)!.leastCosine).toBeGreaterThan(0.99)
  })

  it('reads a private classifier’s head through the labels’ logits', async () => {
    const at = join(folder, 'classifier')
    await writeTinyClassifier(at)
    const report = await run(await startEngineParties(at), join(at, 'classifier'), 12)
    expect(report).toMatchObject({ columns: 3, released: 'logits' })
    expect(report.learned.at(-1)!.rows).toBe(10)
    expect(report.learned.at(-1)!.leastCosine).toBeGreaterThan(0.99)
  })

  it('learns no less from split weights', async () => {
    const model = await splitTiny(join(folder, 'split'))
    const report = await run(await serveSplit(model), join(folder, 'tiny'), 19)
    const { rows, leastCosine } = report.learned.at(-1)!
    expect(rows).toBe(16)
    expect(leastCosine).toBeGreaterThan(0.999)
  })

  it('gets no further than the dealer’s limit of rows', async () => {
    const parties = await startEngineParties(folder, { dealer: { admission: { rowsPerHour: 20 } } })
    const report = await run(parties, join(folder, 'tiny'), 100)
    expect(report.isRefused).toBe(true)
    expect(report.learned.at(-1)).toMatchObject({ queries: 20, rows: 16 })
  })

  it('has nothing to learn of a public model', async () => {
    const bundle = await variant('public', 'public')
    await expect(run(await startEngineParties(join(folder, 'public')), bundle, 5)).rejects.toThrow(
      'no private matrix',
    )
  })
})
