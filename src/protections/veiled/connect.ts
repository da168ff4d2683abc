/** From a listing and a key to a session with a server that runs the veiled model. */
import { type Attested, NONCE_BYTES } from '../../handshake/attestation/attested.ts'
import type { AttestationPolicy } from '../../handshake/attestation/policy.ts'
import { randomBytes } from '../../handshake/crypto.ts'
import { toBase64Url, toHex, utf8 } from '../../handshake/encoding.ts'
import { SessionError } from '../../handshake/errors.ts'
import { limits, PROTOCOL_VERSION } from '../../handshake/limits.ts'
import { checked, parseJson } from '../../handshake/parse-json.ts'
import { connect } from '../../transport/connect.ts'
import type { Link } from '../../transport/link.ts'
import { withTimeout } from '../../transport/timeout.ts'
import { type ConnectRequest, ProtectionError } from '../protection.ts'
import { figureInWords } from './attacks.ts'
import { VeiledConnection } from './connection.ts'
import { kitFor } from './find-kit.ts'
import { veiledSettings } from './keyring.ts'
import { veiledListing } from './listing.ts'
import { welcome } from './messages.ts'
import { OwnerEnds } from './owner-ends.ts'

const SIMULATED =
  'Not attested: the enclave is simulated, and nothing vouches for it. Whoever runs it can look into it.'

/** Rejects with `SessionError`, `LinkError` or `ProtectionError`. */
export async function connectVeiled(request: ConnectRequest): Promise<VeiledConnection> {
  const { listing, server, surroundings, onEvent } = request
  const facts = checked(veiledListing, listing, `The listing of ${listing.name}`)
  const progress = (done: number, text: string) => onEvent({ type: 'progress', done, total: 2, text })
  const figure = facts.figure && figureInWords(facts.figure)
  if (figure) onEvent({ type: 'notice', text: figure })
  progress(0, 'Opening the key')
  const kit = await kitFor(request, facts)
  const ends = new OwnerEnds(kit.key)
  progress(1, 'Connecting to the model server')
  const { link, reason } = await connect(server, { ...surroundings.connect, link: request.link })
  try {
    const { policy } = veiledSettings(request.settings)
    const greeted = await greet(link, listing.hash, facts.keyId, policy)
    const { attested } = greeted
    // A page shows one notice at a time.
    if (attested?.isAttested === false)
      onEvent({ type: 'notice', text: [SIMULATED, figure].filter(Boolean).join(' ') })
    return new VeiledConnection({
      ...{ link: greeted.link, attested, reason, kit, ends, facts },
      sessionId: toHex(randomBytes(8)),
    })
  } catch (error) {
    await link.close()
    throw error
  }
}

/** Resolves with the link to go on with: a sealed one where a policy demands an enclave. */
async function greet(
  link: Link,
  modelHash: string,
  keyId: string,
  policy?: AttestationPolicy,
): Promise<{ link: Link; attested?: Attested }> {
  const nonce = policy && randomBytes(NONCE_BYTES)
  const attest = nonce && { attest: toBase64Url(nonce) }
  const hello = { t: 'hello', protocolVersion: PROTOCOL_VERSION, modelHash, keyId, ...attest }
  await link.send(utf8(JSON.stringify(hello)), true)
  const answer = await withTimeout(link.receive(), limits.handshakeMs)
  const parsed = parseJson(welcome, answer, 'The server’s greeting')
  if (parsed.t === 'refused') throw SessionError.parse(parsed)
  if (!policy || !nonce) return { link }
  if (parsed.evidence === undefined)
    throw new ProtectionError(
      'not-attested',
      'The server shows no evidence of an enclave, and you demand it.',
      'Do not send anything. Ask who runs it, or leave the policy out if you trust them.',
    )
  const { attestedLink } = await import('./attest.ts')
  return attestedLink(link, parsed.evidence, policy, nonce)
}
