/** Builds the programs once for all tests of a run. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import type { TestProject } from 'vitest/node'
import { buildPrograms } from './build.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the built programs. */
    built: string
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  mkdirSync('.cache', { recursive: true })
  // Of its own: another run may be under way in the same checkout.
  const out = mkdtempSync(resolve('.cache/built-'))
  await buildPrograms(out)
  // Sources may have changed since.
  project.onTestsRerun(() => buildPrograms(out))
  project.provide('built', out)
  return () => rmSync(out, { recursive: true })
}
