/**
 * The few primitives of a session, from WebCrypto: X25519 (RFC 7748), Ed25519 (RFC 8032), HKDF-SHA-256 (RFC 5869) and
 * HMAC-SHA-256. Current browsers and Node 20 have them all.
 */
import { equalBytes, utf8 } from './encoding.ts'
import { SessionError } from './errors.ts'

const bytes = (data: Uint8Array): Uint8Array<ArrayBuffer> => data as Uint8Array<ArrayBuffer>

function subtle(): SubtleCrypto {
  const found = globalThis.crypto?.subtle
  if (!found)
    throw new SessionError(
      'crypto-missing',
      'This page has no WebCrypto, because it is not in a secure context.',
    )
  return found
}

async function needs<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    throw new SessionError('crypto-missing', `This browser has no ${what}.`, { cause })
  }
}

export const sha256 = async (data: Uint8Array): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await subtle().digest('SHA-256', bytes(data)))

/** An X25519 key pair for one session; the private half cannot be exported. */
export interface Ephemeral {
  publicKey: Uint8Array<ArrayBuffer>
  /** Throws `SessionError` where the peer's point is not usable. */
  agree(peer: Uint8Array): Promise<Uint8Array<ArrayBuffer>>
}

export async function newEphemeral(): Promise<Ephemeral> {
  const pair = await needs(
    'X25519',
    () => subtle().generateKey({ name: 'X25519' }, false, ['deriveBits']) as Promise<CryptoKeyPair>,
  )
  return {
    publicKey: new Uint8Array(await subtle().exportKey('raw', pair.publicKey)),
    async agree(peer) {
      try {
        const key = await subtle().importKey('raw', bytes(peer), { name: 'X25519' }, false, [])
        const shared = await subtle().deriveBits({ name: 'X25519', public: key }, pair.privateKey, 256)
        // A point of small order gives zeros (RFC 7748, section 6.1).
        if (new Uint8Array(shared).some((byte) => byte !== 0)) return new Uint8Array(shared)
      } catch {
        // Reported below: implementations differ in whether they throw.
      }
      throw new SessionError('malformed', 'The other side sent an unusable public key.')
    },
  }
}

/** Whether `signature` over `message` is by `publicKey` (Ed25519). */
export async function verify(
  publicKey: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> {
  const key = await needs('Ed25519', () =>
    subtle().importKey('raw', bytes(publicKey), { name: 'Ed25519' }, false, ['verify']),
  )
  return subtle().verify({ name: 'Ed25519' }, key, bytes(signature), bytes(message))
}

/** Derives `length` bytes for one purpose. */
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

export interface Mac {
  tag(message: Uint8Array): Promise<Uint8Array<ArrayBuffer>>
  check(message: Uint8Array, tag: Uint8Array): Promise<boolean>
}

export const MAC_BYTES = 32

export async function newMac(secret: Uint8Array): Promise<Mac> {
  const key = await subtle().importKey('raw', bytes(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ])
  const tag = async (message: Uint8Array) => new Uint8Array(await subtle().sign('HMAC', key, bytes(message)))
  return { tag, check: async (message, given) => equalBytes(await tag(message), given) }
}

export const randomBytes = (length: number): Uint8Array<ArrayBuffer> =>
  crypto.getRandomValues(new Uint8Array(length))

/** A long-lived Ed25519 key of a server or dealer; `node/key-file.ts` keeps one on disk. */
export interface Identity {
  readonly publicKey: Uint8Array
  sign(message: Uint8Array): Promise<Uint8Array>
}
