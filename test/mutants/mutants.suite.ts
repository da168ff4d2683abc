/** Every planted bug is found by the test that is named for it, and by that test itself, not by a file that fails to load. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { mutants } from './list.ts'
import { type Mutant, root } from './mutant.ts'

const scratch = mkdtempSync(join(tmpdir(), 'sotto-mutants-'))
afterAll(() => rmSync(scratch, { recursive: true }))

interface Report {
  testResults: { assertionResults: { fullName: string; status: string }[] }[]
}

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** The named test's outcomes (one a row of a table of tests) in a run against the mutant. */
async function outcomes(
  { name, caughtBy }: Mutant,
  index: number,
): Promise<Report['testResults'][0]['assertionResults']> {
  const out = join(scratch, `${index}.json`)
  const options = ['--config', 'test/mutants/mutated.config.ts', '--reporter=json', `--outputFile=${out}`]
  const named = ['-t', `^${literally(caughtBy.test)}`]
  const command = ['node_modules/vitest/vitest.mjs', 'run', caughtBy.file, ...named, ...options]
  // It fails, which is the point.
  await new Promise<void>((resolve) => {
    const env = { ...process.env, SOTTO_MUTANT: name }
    execFile(process.execPath, command, { cwd: root, env, maxBuffer: 1 << 28 }, () => resolve())
  })
  const report = JSON.parse(readFileSync(out, 'utf8')) as Report
  return report.testResults
    .flatMap((file) => file.assertionResults)
    .filter(({ status }) => status !== 'skipped')
}

describe('is found', () => {
  it.concurrent.each(mutants.map((mutant, i) => [mutant.name, mutant, i] as const))(
    '%s',
    async (_, mutant, i) => {
      const found = await outcomes(mutant, i)
      expect(found.map(({ fullName }) => fullName)).not.toEqual([])
      expect(found.map(({ status }) => status)).toContain('failed')
    },
  )
})
