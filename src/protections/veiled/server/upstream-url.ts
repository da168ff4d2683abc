import { AddressError, isLoopback, partyUrl } from '../../../transport/party-url.ts'

/** What is sent there besides ids, and what owners are told of the server. */
export interface UpstreamUse {
  readonly hasKey: boolean
  /** Owners encrypt to an enclave: what they send must not leave it. */
  readonly isAttested: boolean
}

/**
 * The address of an engine that runs already: of this machine behind evidence of an enclave, of this machine or over HTTPS
 * where it gets a key. Ids alone may go in the open, in a network that is one's own. Throws `AddressError`.
 */
export function upstreamUrl(address: string, { hasKey, isAttested }: UpstreamUse): string {
  const url = partyUrl(address, 'the engine (--upstream)', { isOpenAllowed: !hasKey })
  if (isAttested && !isLoopback(new URL(url).hostname))
    throw new AddressError(
      'The engine (--upstream) is on another machine: what owners encrypt to the enclave (--attest) would leave it.',
      'Run the engine inside the enclave and give an address such as http://127.0.0.1:8000, or leave out --attest.',
    )
  return url
}
