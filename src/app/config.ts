/** Who the other two parties are, according to the origin that served this page. */
import { OwnerError, type PageConfig } from '../owner/api.ts'
import { AddressError, partyUrl } from '../transport/party-url.ts'

function check(value: unknown): PageConfig {
  const { server, operator, protections } = (value ?? {}) as Partial<PageConfig>
  if (typeof server !== 'string') throw new Error('it names no server')
  if (operator !== undefined && typeof operator !== 'string') throw new Error('its operator is not a name')
  // Relative addresses are allowed, for a page and a server behind one proxy.
  const base = document.baseURI
  return { server: partyUrl(server, 'the model server', { base }), operator, protections, base }
}

export async function loadConfig(): Promise<PageConfig> {
  const url = new URL('config.json', document.baseURI)
  try {
    const response = await fetch(url, { cache: 'no-store' })
    if (!response.ok) throw new Error(`status ${response.status}`)
    return check(await response.json())
  } catch (reason) {
    if (reason instanceof AddressError) throw OwnerError.from(reason)
    throw new OwnerError(
      'page-config',
      `This page could not read its configuration (${reason instanceof Error ? reason.message : reason}).`,
      'Check that the page’s own server is running, then try again.',
      { cause: reason },
    )
  }
}
