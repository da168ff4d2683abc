/**
 * Mutual authentication on the material socket. Each side signs both nonces and both identities, so that neither a
 * recorded handshake nor one with a third party can be used again. Confidentiality on the way is TLS's work.
 */

import { type Identity, randomBytes, verify } from '../../../handshake/crypto.ts'
import { equalBytes, fromBase64Url, toBase64Url } from '../../../handshake/encoding.ts'
import { SessionError } from '../../../handshake/errors.ts'
import { limits, MATERIAL_VERSION } from '../../../handshake/limits.ts'
import type { Link } from '../../../transport/link.ts'
import { withTimeout } from '../../../transport/timeout.ts'
import {
  decodeMessage,
  encodeJson,
  parseMessage,
  type ToDealer,
  type ToServer,
  toDealerSchema,
  toServerSchema,
} from './material-socket.ts'
import { signedBytes } from './transcript.ts'

type Wanted<M extends { t: string }, T extends M['t']> = Extract<M, { t: T }>

async function expectFrom<M extends ToDealer | ToServer, T extends M['t']>(
  link: Link,
  schema: typeof toDealerSchema | typeof toServerSchema,
  type: T,
): Promise<Wanted<M, T>> {
  const received = decodeMessage(await withTimeout(link.receive(), limits.handshakeMs))
  const message = parseMessage(schema, received.kind === 'json' ? received.value : undefined)
  if (message.t !== type)
    throw new SessionError('malformed', 'The handshake of the material socket went astray.')
  return message as Wanted<M, T>
}

function bytes(text: string, length: number): Uint8Array {
  try {
    return fromBase64Url(text, length)
  } catch {
    throw new SessionError('malformed', 'A key or signature of the handshake is malformed.')
  }
}

function checkVersion(version: number): void {
  if (version !== MATERIAL_VERSION) {
    throw new SessionError(
      'version-mismatch',
      `The other side speaks version ${version}, this one ${MATERIAL_VERSION}.`,
    )
  }
}

/** The server's side. Rejects with `wrong-dealer-key` where the dealer is not the pinned one. */
export async function greetDealer(link: Link, identity: Identity, dealerKey: Uint8Array): Promise<void> {
  const ours = randomBytes(32)
  const key = toBase64Url(identity.publicKey)
  await link.send(encodeJson({ t: 'hello', version: MATERIAL_VERSION, key, nonce: toBase64Url(ours) }), true)
  const challenge = await expectFrom<ToServer, 'challenge'>(link, toServerSchema, 'challenge')
  checkVersion(challenge.version)
  const nonces = [ours, bytes(challenge.nonce, 32)]
  const signed = signedBytes.material('dealer', identity.publicKey, dealerKey, nonces)
  const genuine =
    equalBytes(bytes(challenge.key, 32), dealerKey) &&
    (await verify(dealerKey, bytes(challenge.signature, 64), signed))
  if (!genuine)
    throw new SessionError('wrong-dealer-key', 'The dealer is not the one this server is configured for.')
  const signature = await identity.sign(signedBytes.material('server', identity.publicKey, dealerKey, nonces))
  await link.send(encodeJson({ t: 'auth', signature: toBase64Url(signature) }), true)
  await expectFrom<ToServer, 'ready'>(link, toServerSchema, 'ready')
}

/** The dealer's side; resolves with the server's key. Rejects with `unauthorised` where it is not on the list. */
export async function acceptServer(
  link: Link,
  identity: Identity,
  isAllowed: (serverKey: Uint8Array) => boolean,
): Promise<Uint8Array> {
  const hello = await expectFrom<ToDealer, 'hello'>(link, toDealerSchema, 'hello')
  checkVersion(hello.version)
  const serverKey = bytes(hello.key, 32)
  if (!isAllowed(serverKey))
    throw new SessionError('unauthorised', `The server ${hello.key} is not on the allow-list.`)
  const ours = randomBytes(32)
  const nonces = [bytes(hello.nonce, 32), ours]
  const signature = await identity.sign(signedBytes.material('dealer', serverKey, identity.publicKey, nonces))
  const [key, nonce] = [toBase64Url(identity.publicKey), toBase64Url(ours)]
  const challenge = {
    t: 'challenge' as const,
    version: MATERIAL_VERSION,
    key,
    nonce,
    signature: toBase64Url(signature),
  }
  await link.send(encodeJson(challenge), true)
  const auth = await expectFrom<ToDealer, 'auth'>(link, toDealerSchema, 'auth')
  const signed = signedBytes.material('server', serverKey, identity.publicKey, nonces)
  if (!(await verify(serverKey, bytes(auth.signature, 64), signed))) {
    throw new SessionError('wrong-server-key', 'A server could not prove its identity.')
  }
  await link.send(encodeJson({ t: 'ready' }), false)
  return serverKey
}
