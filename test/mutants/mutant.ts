/** A planted bug, and the test that has to find it. */
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Plugin } from 'vite'

/** `find` is there exactly once. */
export interface Edit {
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface Mutant {
  readonly name: string
  readonly edits: readonly Edit[]
  /** Full title, or its beginning, of a test in `file` that fails with the mutant. */
  readonly caughtBy: { readonly file: string; readonly test: string }
}

export const root = join(import.meta.dirname, '../..')

/** A source with those of the edits that belong to it. Throws where what is to be replaced is not there exactly once. */
export function mutated(source: string, file: string, edits: readonly Edit[]): string {
  return edits
    .filter((edit) => edit.file === file)
    .reduce((text, { find, replace }) => {
      const parts = text.split(find)
      if (parts.length !== 2)
        throw new Error(`${file} has ${parts.length - 1} times what a mutant replaces: ${find}`)
      return parts.join(replace)
    }, source)
}

/** Changes the sources as they are loaded; those on disk stay. */
export const planting = ({ edits }: Mutant): Plugin => ({
  name: 'mutant',
  enforce: 'pre',
  load(id) {
    const file = relative(root, id.split('?')[0])
    if (!edits.some((edit) => edit.file === file)) return undefined
    return mutated(readFileSync(join(root, file), 'utf8'), file, edits)
  },
})
