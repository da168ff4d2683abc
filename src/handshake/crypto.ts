/**
 * The few primitives of a session, from WebCrypto: X25519 (RFC 7748), Ed25519 (RFC 8032), HKDF-SHA-256 (RFC 5869) and
 * HMAC-SHA-256. Current browsers and Node 20 have them all; for the two curves there is a fallback to noble, which is loaded
 * where it is needed.
 */
import { equalBytes, utf8 } from './encoding.ts'
import { SessionError } from './errors.ts'

const bytes = (data: Uint8Array): Uint8Array<ArrayBuffer> => data as Uint8Array<ArrayBuffer>
const noble = () => import('@noble/curves/ed25519.js')

function subtle(): SubtleCrypto {
  const found = globalThis.crypto?.subtle
  if (!found)
    throw new SessionError(
      'crypto-missing',
      'This page has no WebCrypto, because it is not in a secure context.',
    )
  return found
}

/** SHA-256 (FIPS 180-4): 32 bytes. */
export const sha256 = async (data: Uint8Array): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await subtle().digest('SHA-256', bytes(data)))

/** An X25519 key pair for one session; the private half cannot be exported. */
export interface Ephemeral {
  publicKey: Uint8Array<ArrayBuffer>
  /** Throws `SessionError` where the peer's point is not usable. */
  agree(peer: Uint8Array): Promise<Uint8Array<ArrayBuffer>>
}

/**
 * A fresh pair from the system's generator. Rejects with `SessionError` (`crypto-missing`) outside a secure
 * context.
 */
export async function newEphemeral(): Promise<Ephemeral> {
  let pair: CryptoKeyPair
  try {
    pair = (await subtle().generateKey({ name: 'X25519' }, false, ['deriveBits'])) as CryptoKeyPair
  } catch (error) {
    if (error instanceof SessionError) throw error
    const { x25519 } = await noble()
    const secret = randomBytes(32)
    return {
      publicKey: bytes(x25519.getPublicKey(secret)),
      agree: async (peer) => usable(peer, () => bytes(x25519.getSharedSecret(secret, peer))),
    }
  }
  return {
    publicKey: new Uint8Array(await subtle().exportKey('raw', pair.publicKey)),
    agree: (peer) =>
      usable(peer, async () => {
        const key = await subtle().importKey('raw', bytes(peer), { name: 'X25519' }, false, [])
        return new Uint8Array(
          await subtle().deriveBits({ name: 'X25519', public: key }, pair.privateKey, 256),
        )
      }),
  }
}

/** Points of small order give zeros (RFC 7748, section 6.1), or make WebCrypto throw. */
async function usable(
  peer: Uint8Array,
  derive: () => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>,
): Promise<Uint8Array<ArrayBuffer>> {
  const shared =
    peer.length === 32
      ? await Promise.resolve()
          .then(derive)
          .catch(() => undefined)
      : undefined
  if (shared?.some((byte) => byte !== 0)) return shared
  throw new SessionError('malformed', 'The other side sent an unusable public key.')
}

/**
 * Whether `signature` (64 bytes) over `message` is by `publicKey` (32 bytes): Ed25519, RFC 8032, section
 * 5.1.7.
 */
export async function verify(
  publicKey: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> {
  let key: CryptoKey
  try {
    key = await subtle().importKey('raw', bytes(publicKey), { name: 'Ed25519' }, false, ['verify'])
  } catch (error) {
    if (error instanceof SessionError) throw error
    return verifyByNoble(publicKey, signature, message)
  }
  return subtle().verify({ name: 'Ed25519' }, key, bytes(signature), bytes(message))
}

/** Malformed keys and signatures are wrong ones, as for WebCrypto. */
async function verifyByNoble(
  publicKey: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> {
  const { ed25519 } = await noble()
  try {
    return ed25519.verify(signature, message, publicKey)
  } catch {
    return false
  }
}

/** HKDF-SHA-256 (RFC 5869): derives `length` bytes from a secret, for one purpose, which is the info. */
export async function hkdf(
  secret: Uint8Array,
  salt: Uint8Array,
  purpose: string,
  length = 32,
): Promise<Uint8Array<ArrayBuffer>> {
  const key = await subtle().importKey('raw', bytes(secret), 'HKDF', false, ['deriveBits'])
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt: bytes(salt), info: utf8(purpose) }
  return new Uint8Array(await subtle().deriveBits(parameters, key, length * 8))
}

/** HMAC-SHA-256 under one key; `check` takes as long wherever the tags differ. */
export interface Mac {
  tag(message: Uint8Array): Promise<Uint8Array<ArrayBuffer>>
  check(message: Uint8Array, tag: Uint8Array): Promise<boolean>
}

/** Bytes of a tag, untruncated. */
export const MAC_BYTES = 32

/** HMAC-SHA-256 (RFC 2104) under a secret of 32 bytes, as HKDF gives them. */
export async function newMac(secret: Uint8Array): Promise<Mac> {
  const key = await subtle().importKey('raw', bytes(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ])
  const tag = async (message: Uint8Array) => new Uint8Array(await subtle().sign('HMAC', key, bytes(message)))
  return { tag, check: async (message, given) => equalBytes(await tag(message), given) }
}

const gcm = (context: Uint8Array): AesGcmParams => ({
  name: 'AES-GCM',
  iv: new Uint8Array(12),
  additionalData: bytes(context),
})

const aesKey = (key: Uint8Array, use: 'encrypt' | 'decrypt'): Promise<CryptoKey> =>
  subtle().importKey('raw', bytes(key), 'AES-GCM', false, [use])

/** AES-256-GCM (NIST SP 800-38D) under a key that serves this one message: the nonce is zero. Ciphertext, then tag. */
export const aesEncrypt = async (
  key: Uint8Array,
  secret: Uint8Array,
  context: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await subtle().encrypt(gcm(context), await aesKey(key, 'encrypt'), bytes(secret)))

/** Rejects where key, context or bytes are others than at encryption. */
export const aesDecrypt = async (
  key: Uint8Array,
  box: Uint8Array,
  context: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await subtle().decrypt(gcm(context), await aesKey(key, 'decrypt'), bytes(box)))

/** From the system's cryptographic generator; at most 65,536 at once. */
export const randomBytes = (length: number): Uint8Array<ArrayBuffer> =>
  crypto.getRandomValues(new Uint8Array(length))

/** A long-lived Ed25519 key of a server or dealer; `node/key-file.ts` keeps one on disk. */
export interface Identity {
  readonly publicKey: Uint8Array
  sign(message: Uint8Array): Promise<Uint8Array>
  /** X25519 with the key's Montgomery form, for what was sealed for it. Throws `SessionError` on an unusable point. */
  agree(peer: Uint8Array): Promise<Uint8Array>
}

/** X25519 with a 32-byte secret that is kept elsewhere. Throws `SessionError` where the peer's point is not usable. */
export const agreeWith = (secret: Uint8Array, peer: Uint8Array): Promise<Uint8Array<ArrayBuffer>> =>
  usable(peer, async () => bytes((await noble()).x25519.getSharedSecret(secret, peer)))
