/** Addresses of other parties: what is masked for one of them must not be read on the way by the rest of the world. */

/** `message` says what is wrong with the address, `advice` what to write instead. */
export class AddressError extends Error {
  override readonly name = 'AddressError'
  readonly code = 'page-config'
  readonly advice: string

  constructor(message: string, advice: string) {
    super(message)
    this.advice = advice
  }
}

/** As HTTP has them; a WebSocket to the same place is the same line. */
const schemes: Record<string, string> = {
  'https:': 'https:',
  'wss:': 'https:',
  'http:': 'http:',
  'ws:': 'http:',
}

export interface AddressOptions {
  /** What a relative address is relative to. */
  base?: string
  /** Whether a line that others can read is good enough: a person has said so. */
  isOpenAllowed?: boolean
}

/**
 * The address of a party as an http(s) URL without a slash at its end. Only `https:` and `wss:` are let through, and what
 * never leaves this computer. Throws `AddressError`.
 * @param whose for the message, such as `the dealer`.
 */
export function partyUrl(text: string, whose: string, options: AddressOptions = {}): string {
  if (!URL.canParse(text, options.base))
    throw new AddressError(
      `The address of ${whose} is not a URL.`,
      'Give one such as https://party.example:8422.',
    )
  const url = new URL(text, options.base)
  const scheme = Object.hasOwn(schemes, url.protocol) ? schemes[url.protocol] : undefined
  if (scheme === undefined)
    throw new AddressError(`The address of ${whose} has a scheme that is not https: or wss:.`, 'Use https:.')
  if (scheme === 'http:' && !isLoopback(url.hostname) && options.isOpenAllowed !== true)
    throw new AddressError(
      `The address of ${whose} is not one of HTTPS, and not on this computer: others could read along.`,
      'Use https: (or wss:), with a certificate that is trusted here.',
    )
  return `${scheme}${url.href.slice(url.protocol.length)}`.replace(/\/$/, '')
}

/** Whether a host name, as a URL has it, can only be this computer (RFC 6761, section 6.3; RFC 1122, section 3.2.1.3). */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' ||
  host.endsWith('.localhost') ||
  /^127(\.\d{1,3}){3}$/.test(host) ||
  host === '::1' ||
  host === '[::1]'
