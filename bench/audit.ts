/** What audits of the dealer cost: a classifier's texts with a rehearsal before each and without, by real processes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pageConfig } from '../src/cli/page-config.ts'
import { startProcesses } from '../src/cli/processes.ts'
import { nodeOwner } from '../src/owner/node/owner.ts'
import { AUDITED, MOST_AUDITED } from '../src/protections/shared/session/toss.ts'
import type { Result } from './result.ts'

const TEXTS = Array.from({ length: 24 }, (_, i) => ({ text: `a warm and funny film, number ${i + 1}` }))

/** One text after another, each of a bundle's passes; the texts are the same with audits and without. */
export async function auditCase(model: string): Promise<Result> {
  const keys = mkdtempSync(join(tmpdir(), 'sotto-keys-'))
  const started = { models: model, host: '127.0.0.1', serverPort: 0, dealerPort: 0, keys }
  const parties = await startProcesses({ ...started, origins: [], tlsArgs: [], logLevel: 'error' })
  /** An owner in a session of its own, with what it used from `begin` to `end`. */
  const open = async (audit: number) => {
    const owner = nodeOwner(pageConfig(parties.server.url, parties.dealer, audit))
    const [{ name }] = await owner.models()
    await owner.open({ model: name }, () => undefined)
    let [before, seconds] = [owner.totals(), 0]
    return {
      owner,
      begin: () => {
        ;[before, seconds] = [owner.totals(), 0]
      },
      classify: async (text: { text: string }) => {
        const began = performance.now()
        await owner.classify([text])
        seconds += (performance.now() - began) / 1000
      },
      end: () => {
        const after = owner.totals()
        return {
          seconds,
          audited: (after.audits?.audited ?? 0) - (before.audits?.audited ?? 0),
          dealt: after.dealerBytes - before.dealerBytes,
          dealtForAudits: (after.audits?.dealtBytes ?? 0) - (before.audits?.dealtBytes ?? 0),
        }
      },
    }
  }
  try {
    const [plain, audited] = [await open(0), await open(MOST_AUDITED)]
    for (const text of TEXTS.slice(0, 8)) for (const each of [plain, audited]) await each.classify(text)
    for (const each of [plain, audited]) each.begin()
    // In turn: whatever else the machine does, both have of it.
    for (const text of TEXTS) for (const each of [plain, audited]) await each.classify(text)
    const [without, with_] = [plain.end(), audited.end()]
    await Promise.all([plain.owner.close(), audited.owner.close()])
    const [seconds, dealt] = [without.seconds, without.dealt].map((all) => all / TEXTS.length)
    const auditSeconds = with_.audited && (with_.seconds - without.seconds) / with_.audited
    const auditDealtBytes = with_.audited && with_.dealtForAudits / with_.audited
    return {
      case: `audit ${model}`,
      texts: TEXTS.length,
      audits: with_.audited,
      passSeconds: seconds,
      passDealtBytes: dealt,
      auditSeconds,
      auditDealtBytes,
      // A coin tossed before each pass, and again before each rehearsal.
      moreDealt: (AUDITED / (1 - AUDITED)) * (auditDealtBytes / dealt),
      moreTime: (AUDITED / (1 - AUDITED)) * (auditSeconds / seconds),
    }
  } finally {
    await parties.stop()
    rmSync(keys, { recursive: true, force: true })
  }
}
