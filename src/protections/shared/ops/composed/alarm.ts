import type { PlanBuilder } from '../../plan.ts'
import type { Released, Share } from '../../values.ts'
import { concealed } from '../concealed.ts'
import { fingerprint } from '../fingerprint.ts'
import { openPrint } from '../open-print.ts'
import { release } from '../release.ts'

/**
 * Tells the owner, and nobody else, for every row whether all of the values are zero: released is 0 where they are, and a
 * random number where one is not. The difference d of the parties' fingerprints is released as d·r, for an r that the owner does
 * not know. 32 bits each way a row, and as many dealt; two hops, which travel with other messages. Where a model has no secrets
 * from its user, d itself is released, which takes one. Rows x 1, mod 2^32. Throws `RangeError` where values are of other rows.
 */
export function alarm(plan: PlanBuilder, values: readonly Share[], hasSecrets = true): Released {
  const d = fingerprint(plan, values)
  return release(plan, hasSecrets ? concealed(plan, openPrint(plan, d)) : d)
}
