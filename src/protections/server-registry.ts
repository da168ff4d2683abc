/** Every protection that a model server can serve under, one line each: a bundle goes to the first that takes it. */
import type { ServingProtection } from './serving.ts'
import { sharedServing } from './shared/serving.ts'
import { veiledServing } from './veiled/serving.ts'

/** In the order in which they are asked. */
export const servingProtections: readonly ServingProtection[] = [
  veiledServing,
  // Last, because it takes every bundle: what it cannot serve it explains.
  sharedServing,
]
