/** Who comes to a party's door: under which name, and whether a web page sent them. */
import { X509Certificate } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { isLoopback } from '../party-url.ts'
import type { Tls } from './certificate.ts'

export interface Doors {
  /** Origins of pages that may talk to this party; `*` allows all. */
  readonly origins: readonly string[]
  /** Names under which it is visited, besides addresses, `localhost` and what its own certificate names. */
  readonly names: readonly string[]
  readonly tls?: Tls
}

/** Headers as Node has them: lower-case names. */
type Headers = Pick<IncomingHttpHeaders, 'host' | 'origin' | 'sec-fetch-site'>

/** Decides by headers alone, before anything else is looked at. */
export class Visitors {
  readonly #doors: Doors
  readonly #names: ReadonlySet<string>
  readonly #certificate: X509Certificate | undefined

  constructor(doors: Doors) {
    this.#doors = doors
    this.#names = new Set(doors.names.map((name) => name.toLowerCase()))
    this.#certificate = doors.tls && new X509Certificate(doors.tls.cert)
  }

  /**
   * Whether the name that a visitor used is one of ours. A foreign page can give its own name our address (DNS rebinding)
   * and is then of the same origin as we are, as far as its browser can tell; a name that is an address can belong to nobody
   * else.
   */
  isOurName({ host }: Headers): boolean {
    const name = hostName(host)
    if (name === undefined) return false
    return (
      isIP(name.replace(/^\[|\]$/g, '')) !== 0 ||
      isLoopback(name) ||
      this.#names.has(name) ||
      this.#certificate?.checkHost(name) !== undefined
    )
  }

  /**
   * Whether a request that changes something comes from a page that may, or from no page. Browsers name the page's origin
   * with every such request (Fetch, section 3.1), and how it is related to us (`Sec-Fetch-Site`); other programs name none.
   */
  isOurPage({ origin, host, 'sec-fetch-site': site }: Headers): boolean {
    const { origins } = this.#doors
    if (origins.includes('*')) return true
    if (origin === undefined) return site === undefined || site === 'none' || site === 'same-origin'
    return origins.includes(origin) || site === 'same-origin' || isSameHost(origin, host)
  }
}

/** Whether a browser sends this for a page, whichever it is. */
export const isFromPage = ({ origin, 'sec-fetch-site': site }: Headers): boolean =>
  origin !== undefined || site !== undefined

function isSameHost(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase()
}

/** Lower-case, without port and final dot; `undefined` where the header is none. */
function hostName(host: string | undefined): string | undefined {
  if (host === undefined || !/^[\w.:[\]-]+$/.test(host)) return undefined
  const url = `http://${host}`
  return URL.canParse(url) ? new URL(url).hostname.replace(/\.$/, '') : undefined
}
