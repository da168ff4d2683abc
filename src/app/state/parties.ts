/** Where the other parties are and who runs them, as the page's configuration has it; and what that is worth. */
import type { PartyAddress } from '../../owner/api.ts'
import { t } from '../language.ts'
import { Store } from './store.ts'

export interface PartiesState {
  server?: PartyAddress
  dealer?: PartyAddress
}

export const parties = new Store<PartiesState>({})

const hostOf = (url: string): string => new URL(url, location.href).hostname

/** Name for people: who runs it, or else where it is. */
export const operatorOf = (party: PartyAddress | undefined): string | undefined =>
  party && (party.operator ?? new URL(party.url, location.href).host)

/** Both of the others' names. */
export const operatorsNow = (): { server?: string; dealer?: string } => ({
  server: operatorOf(parties.state.server),
  dealer: operatorOf(parties.state.dealer),
})

/**
 * Why nobody is protected here, if nobody is: whoever has two of the three in hand reads along. Hosts and names can be told
 * apart by a machine; whether their people talk to each other cannot.
 * @param page host that the page comes from
 */
export function whyUnprotected(
  { server, dealer }: PartiesState,
  page = location.hostname,
): string | undefined {
  if (!server || !dealer) return undefined
  const [serverHost, dealerHost] = [hostOf(server.url), hostOf(dealer.url)]
  if (serverHost === dealerHost && page === serverHost) return t('parties.all')
  if (serverHost === dealerHost) return t('parties.both')
  if (server.operator && server.operator.trim().toLowerCase() === dealer.operator?.trim().toLowerCase())
    return t('parties.operator', { name: server.operator })
  if (page === serverHost) return t('parties.server')
  if (page === dealerHost) return t('parties.dealer')
  return undefined
}
