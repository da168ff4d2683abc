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
  /** Seconds and counts of all texts in one session, after a first one that compiles. */
  const classify = async (audit: number) => {
    const owner = nodeOwner(pageConfig(parties.server.url, parties.dealer, audit))
    const [{ name }] = await owner.models()
    await owner.open({ model: name }, () => undefined)
    await owner.classify(TEXTS.slice(0, 1))
    const [before, began] = [owner.totals(), performance.now()]
    for (const text of TEXTS) await owner.classify([text])
    const seconds = (performance.now() - began) / 1000
    const after = owner.totals()
    await owner.close()
    return {
      seconds,
      audited: (after.audits?.audited ?? 0) - (before.audits?.audited ?? 0),
      dealt: after.dealerBytes - before.dealerBytes,
      dealtForAudits: (after.audits?.dealtBytes ?? 0) - (before.audits?.dealtBytes ?? 0),
    }
  }
  try {
    await classify(0)
    const plain = await classify(0)
    const audited = await classify(MOST_AUDITED)
    const [seconds, dealt] = [plain.seconds, plain.dealt].map((all) => all / TEXTS.length)
    const auditSeconds = audited.audited && (audited.seconds - plain.seconds) / audited.audited
    const auditDealtBytes = audited.audited && audited.dealtForAudits / audited.audited
    return {
      case: `audit ${model}`,
      texts: TEXTS.length,
      audits: audited.audited,
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
