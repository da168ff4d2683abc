/** Secret sharing between the owner, a model server and a dealer: the owner's side of the door. */
import type { Protection } from '../protection.ts'
import { connectShared } from './connect.ts'
import { SHARED } from './id.ts'
import { notice } from './notice.ts'

/** Private as long as server and dealer do not pool what they hold. */
export const shared: Protection = {
  id: SHARED,
  notice,
  needsServer: true,
  needsDealer: true,
  connect: (request) => connectShared(request),
}
