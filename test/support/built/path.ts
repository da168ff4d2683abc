/** Where the programs are that were built for this run of tests. */
import { join } from 'node:path'
import { inject } from 'vitest'

/** The bundle of a source, both relative to the checkout. */
export const builtPath = (source: string): string => join(inject('built'), source.replace(/\.ts$/, '.js'))

/** The command line. */
export const program = (): string => builtPath('bin/sotto.js')
