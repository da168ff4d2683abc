/** The other parties, as a program names them. */
import type { PageConfig } from '../owner/api.ts'
import { SHARED } from '../protections/shared/id.ts'
import { partyUrl } from '../transport/party-url.ts'

/** Where model server and dealer are; a page's configuration (`PageConfig`) says the same. */
export interface PartiesOptions extends PageConfig {
  /** Of secret sharing: the dealer's address, and its identity key from somebody who is not the server. */
  dealer?: { url: string; key: string }
}

/** Throws `AddressError` for addresses that others could read along with. */
export function partiesOf({ server, protections, base, dealer }: PartiesOptions): PageConfig {
  const url = server === '' ? '' : partyUrl(server, 'the model server', { base })
  if (!dealer) return { server: url, protections, base }
  const shared = { ...(protections?.[SHARED] as object | undefined), dealer }
  return { server: url, protections: { ...protections, [SHARED]: shared }, base }
}
