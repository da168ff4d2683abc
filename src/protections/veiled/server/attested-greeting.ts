/** The enclave's side of a greeting: evidence for the owner's nonce, then a channel to the key that it vouches for. */
import { NONCE_BYTES } from '../../../handshake/attestation/attested.ts'
import { type ChannelKey, EnclaveChannel } from '../../../handshake/attestation/channel.ts'
import { sealedLink } from '../../../handshake/attestation/sealed-link.ts'
import { fromBase64Url, utf8 } from '../../../handshake/encoding.ts'
import { SessionError } from '../../../handshake/errors.ts'
import { limits } from '../../../handshake/limits.ts'
import type { Link } from '../../../transport/link.ts'
import { withTimeout } from '../../../transport/timeout.ts'
import { READY } from '../messages.ts'

/** Makes evidence for a channel key that the server has made at its start. */
export interface Attester {
  readonly key: ChannelKey
  /** What makes it, for people. */
  readonly name: string
  /** As it travels. Rejects with `SessionError`. */
  evidence(nonce: Uint8Array): Promise<unknown>
}

/**
 * Shows evidence for the owner's nonce (base64url), if the server has some, and resolves with the link that goes on: a
 * sealed one where evidence was shown. Rejects with `SessionError` or `LinkError`.
 */
export async function greetAttested(link: Link, nonce: string, attester?: Attester): Promise<Link> {
  // Whoever demands evidence leaves where there is none.
  if (!attester) {
    await welcome(link)
    return link
  }
  await welcome(link, await attester.evidence(fromBase64Url(nonce, NONCE_BYTES)))
  const opening = await withTimeout(link.receive(), limits.handshakeMs)
  const channel = await EnclaveChannel.from(attester.key, opening).catch((cause: unknown) => {
    throw new SessionError('malformed', 'The opening of a channel cannot be used.', { cause })
  })
  const sealed = sealedLink(link, channel)
  await sealed.send(READY, false)
  return sealed
}

/** Tells the owner that the session is open. */
export const welcome = (link: Link, evidence?: unknown): Promise<void> =>
  link.send(utf8(JSON.stringify({ t: 'welcome', ...(evidence === undefined ? {} : { evidence }) })), true)
