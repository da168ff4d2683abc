/** Bugs that would leave every answer right, or nearly so, and give something away. */
import { lengths } from './kinds/lengths.ts'
import { masks } from './kinds/masks.ts'
import { openings } from './kinds/openings.ts'
import { passes } from './kinds/passes.ts'
import { sessions } from './kinds/sessions.ts'
import { weights } from './kinds/weights.ts'
import type { Mutant } from './mutant.ts'

export const mutants: readonly Mutant[] = [
  ...masks,
  ...openings,
  ...sessions,
  ...weights,
  ...lengths,
  ...passes,
]
