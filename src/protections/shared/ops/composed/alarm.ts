import type { PlanBuilder } from '../../plan.ts'
import type { Released, Share } from '../../values.ts'
import { concealed } from '../concealed.ts'
import { fingerprint } from '../fingerprint.ts'
import { openPrint } from '../open-print.ts'
import { release } from '../release.ts'

/**
 * Tells the owner, and nobody else, for every row whether all of the values are zero: released is 0 where they are, and a word
 * that says no more where one is not (see `fingerprint` and `concealed`). A row with values that are not zero is missed once in
 * 2^31. All values have one companion of rows, which is the result's layout: rows x 32 bits. 32 bits each way a row, and as many
 * dealt; two hops, which travel with other messages. Where a model has no secrets from its user, fingerprints themselves are
 * compared, which takes one hop. Throws `RangeError` where values have others.
 */
export function alarm(plan: PlanBuilder, values: readonly Share[], hasSecrets = true): Released {
  const d = fingerprint(plan, values)
  return release(plan, hasSecrets ? concealed(plan, openPrint(plan, d)) : d)
}
