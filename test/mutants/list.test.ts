/** Mutants follow the sources: one that no longer fits would plant nothing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { mutants } from './list.ts'
import { mutated, root } from './mutant.ts'

it('the list names each mutant once, and what it replaces is still there, exactly once', () => {
  expect(new Set(mutants.map((m) => m.name)).size).toBe(mutants.length)
  for (const { edits } of mutants)
    for (const file of new Set(edits.map((edit) => edit.file))) {
      const source = readFileSync(join(root, file), 'utf8')
      expect(mutated(source, file, edits)).not.toBe(source)
    }
})
