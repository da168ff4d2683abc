/** Every planted bug is found by the test that is named for it, and by that test itself, not by a file that fails to load. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { control, mutants } from './list.ts'
import { type Mutant, root } from './mutant.ts'
import type { Outcomes } from './run.ts'

let outcomes: Outcomes

beforeAll(async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'sotto-mutants-'))
  const out = join(scratch, 'outcomes.json')
  const command = ['--import', 'tsx', 'test/mutants/run.ts', out]
  const child = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  await once(child, 'exit')
  outcomes = JSON.parse(readFileSync(out, 'utf8'))
  rmSync(scratch, { recursive: true })
})

/** Of the named test, and of no other. */
function outcomesOf({ name, caughtBy }: Mutant): Outcomes[string] {
  const found = outcomes[name] ?? []
  expect(found).not.toEqual([])
  for (const { test } of found)
    expect(test.replaceAll(' > ', ' ').slice(0, caughtBy.test.length)).toBe(caughtBy.test)
  return found
}

describe('is found', () => {
  it.each(mutants.map((mutant) => [mutant.name, mutant] as const))('%s', (_, mutant) => {
    const found = outcomesOf(mutant)
    expect(found.map(({ state }) => state)).toContain('failed')
  })
})

it('is no finding where nothing is planted', () => {
  expect(outcomesOf(control).map(({ state }) => state)).toEqual(['passed'])
})
