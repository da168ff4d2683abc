import type { PlanBuilder } from '../plan.ts'
import { MASK_STREAM, streamId } from '../prg.ts'
import type { Masked, Share } from '../values.ts'
import { toServer } from './parts/to-server.ts'

/**
 * Gives the server e = d - a of a fingerprint d, for a mask a of the owner's that is this step's own. d's layout and ring; `ring`
 * bits to the server, one hop.
 */
export const openPrint = (plan: PlanBuilder, d: Share): Masked =>
  toServer(plan, 'openPrint', d, streamId(plan.steps.length, MASK_STREAM))
