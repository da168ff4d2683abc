import type { PlanBuilder } from '../plan.ts'
import { weightMaskStream } from '../prg.ts'
import type { Masked, Share } from '../values.ts'
import { toServer } from './parts/to-server.ts'

/**
 * Gives the server e = x - a for the owner's mask a of a product by a stationary mask. rows x width, mod 2^ring, no wider than
 * x's; `ring` bits to the server, one hop. `weight`: the index of the weight whose product has the mask. Throws `RangeError`
 * where the ring is wider than x's.
 */
export function openToServer(plan: PlanBuilder, x: Share, weight: number, ring = x.ring): Masked {
  if (ring > x.ring) throw new RangeError(`openToServer: ${ring} bits of a value in Z_2^${x.ring}`)
  return toServer(plan, 'openToServer', x, weightMaskStream(weight), ring)
}
