/** The owner's side of an attested greeting. Loaded only where a policy demands it: certificates take much code. */
import type { Attested } from '../../handshake/attestation/attested.ts'
import { OwnerChannel } from '../../handshake/attestation/channel.ts'
import { AttestationError } from '../../handshake/attestation/error.ts'
import { parseEvidence, verifyEvidence } from '../../handshake/attestation/evidence.ts'
import type { AttestationPolicy } from '../../handshake/attestation/policy.ts'
import { sealedLink } from '../../handshake/attestation/sealed-link.ts'
import { equalBytes } from '../../handshake/encoding.ts'
import { SessionError } from '../../handshake/errors.ts'
import { limits } from '../../handshake/limits.ts'
import type { Link } from '../../transport/link.ts'
import { withTimeout } from '../../transport/timeout.ts'
import { ProtectionError } from '../protection.ts'
import { READY } from './messages.ts'

/** A link that only the enclave can read, and what was proved of it. */
export interface AttestedLink {
  readonly link: Link
  readonly attested: Attested
}

/**
 * Holds a server's evidence against the owner's policy, and encrypts to the key that it vouches for. Rejects with
 * `ProtectionError` `not-attested` before anything is sent that is not to be read, or as links and sessions do.
 */
export async function attestedLink(
  link: Link,
  evidence: unknown,
  policy: AttestationPolicy,
  nonce: Uint8Array,
): Promise<AttestedLink> {
  try {
    const attested = await verifyEvidence(parseEvidence(evidence), policy, { nonce, at: new Date() })
    const channel = await OwnerChannel.to(attested)
    await link.send(channel.opening, true)
    const sealed = sealedLink(link, channel)
    if (!equalBytes(await withTimeout(sealed.receive(), limits.handshakeMs), READY))
      throw new SessionError('malformed', 'The enclave does not answer as it should.')
    return { link: sealed, attested }
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    throw new ProtectionError('not-attested', `The enclave is not believed. ${error.message}`, error.advice)
  }
}
