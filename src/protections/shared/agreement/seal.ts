/**
 * Seeds sealed for one party alone, as in HPKE's base mode (RFC 9180): an ephemeral X25519 key, HKDF-SHA-256,
 * AES-256-GCM. The recipient's key is its Ed25519 identity in Montgomery form (RFC 7748, section 4.1), so that a party
 * has one key to publish; that the pair may serve both is shown by Thormarker, "On using the same key pair for Ed25519
 * and an X25519 based KEM" (2021).
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { aesDecrypt, aesEncrypt, hkdf, newEphemeral, sha256 } from '../../../handshake/crypto.ts'
import { joinFields } from '../../../handshake/encoding.ts'
import { SessionError } from '../../../handshake/errors.ts'

const KEY_BYTES = 32
const TAG_BYTES = 16
/** Bytes of a sealed secret: an ephemeral public key, ciphertext, tag. */
export const sealedBytes = (length: number): number => KEY_BYTES + length + TAG_BYTES

/** The long-lived private half, of which only this is needed. */
export interface Opener {
  /** The Ed25519 identity. */
  readonly publicKey: Uint8Array
  /** X25519 with the key's Montgomery form. Throws `SessionError` where the peer's point is not usable. */
  agree(peer: Uint8Array): Promise<Uint8Array>
}

const purpose = 'sotto sealed seed'

const keyOf = async (
  secret: Uint8Array,
  ephemeral: Uint8Array,
  recipient: Uint8Array,
  context: Uint8Array,
): Promise<Uint8Array> =>
  hkdf(secret, await sha256(joinFields([purpose, ephemeral, recipient, context])), purpose)

/**
 * Seals `secret` for the holder of the identity key `recipient`; `context` must be the same when it is opened.
 * Ephemeral key, ciphertext, tag. Throws `SessionError` `malformed` on a key that is none.
 */
export async function seal(
  recipient: Uint8Array,
  secret: Uint8Array,
  context: Uint8Array,
): Promise<Uint8Array> {
  const ephemeral = await newEphemeral()
  let point: Uint8Array
  try {
    point = ed25519.utils.toMontgomery(recipient)
  } catch (cause) {
    throw new SessionError('malformed', 'The identity key is not one of Ed25519.', { cause })
  }
  const key = await keyOf(await ephemeral.agree(point), ephemeral.publicKey, recipient, context)
  // The key serves one message, so the nonce may be any.
  const box = await aesEncrypt(key, secret, context)
  const out = new Uint8Array(KEY_BYTES + box.length)
  out.set(ephemeral.publicKey)
  out.set(box, KEY_BYTES)
  return out
}

/** What was sealed. Throws `SessionError` `bad-seal` for another key or context, or altered bytes. */
export async function unseal(opener: Opener, sealed: Uint8Array, context: Uint8Array): Promise<Uint8Array> {
  const refused = (cause?: unknown): SessionError =>
    new SessionError('bad-seal', 'A sealed seed is not for this key and this model.', { cause })
  if (sealed.length < sealedBytes(0)) throw refused()
  const ephemeral = sealed.slice(0, KEY_BYTES)
  try {
    const key = await keyOf(await opener.agree(ephemeral), ephemeral, opener.publicKey, context)
    return await aesDecrypt(key, sealed.slice(KEY_BYTES), context)
  } catch (cause) {
    throw refused(cause)
  }
}
