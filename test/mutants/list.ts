/** Bugs that would leave every answer right, or nearly so, and give something away. */
import { audits } from './audits.ts'
import { fewBits } from './few-bits.ts'
import { lengths } from './lengths.ts'
import { masks } from './masks.ts'
import type { Mutant } from './mutant.ts'
import { openings } from './openings.ts'
import { passes } from './passes.ts'
import { ranges } from './ranges.ts'
import { sessions } from './sessions.ts'
import { weights } from './weights.ts'

/** No bug: what it runs passes beside the mutants, or what they fail at would say nothing. */
export const control: Mutant = {
  name: 'nothing is planted',
  edits: [],
  caughtBy: {
    file: 'src/protections/shared/agreement/transcript.test.ts',
    test: 'a session is bound to every field of its transcript',
  },
}

export const mutants: readonly Mutant[] = [
  ...masks,
  ...openings,
  ...fewBits,
  ...sessions,
  ...weights,
  ...lengths,
  ...passes,
  ...audits,
  ...ranges,
]
