/** Secret sharing between the owner, a model server and a dealer: the owner's side of the door. */
import * as v from 'valibot'
import type { Protection } from '../protection.ts'
import { connectShared } from './connect.ts'
import { SHARED } from './id.ts'
import { sharedSettings } from './listing.ts'
import { notice } from './notice.ts'

/** Private as long as server and dealer do not pool what they hold. */
export const shared: Protection = {
  id: SHARED,
  notice,
  needsServer: true,
  needsDealer: true,
  dealer(settings, base) {
    const parsed = v.safeParse(sharedSettings, settings)
    if (!parsed.success || !URL.canParse(parsed.output.dealer.url, base)) return undefined
    const { url, operator } = parsed.output.dealer
    return { url: new URL(url, base).href.replace(/\/$/, ''), operator }
  },
  connect: (request) => connectShared(request),
}
