/**
 * A passkey as another way to what a passphrase protects: the authenticator computes a secret of a salt (WebAuthn Level 3,
 * section 10.1.4, `prf`), once whoever holds it has shown a finger, a face or a PIN, and a key is derived of that (HKDF,
 * RFC 5869). The secret never leaves this page, and no server knows the passkey.
 */
import { t } from '../language.ts'

/** What is stored of it: nothing that opens anything without the authenticator. */
export interface Passkey {
  id: Uint8Array<ArrayBuffer>
  salt: Uint8Array<ArrayBuffer>
}

/** It was not given, or cannot do what is asked; the message says what to do. */
export class PasskeyRefused extends Error {
  override readonly name = 'PasskeyRefused'
}

const random = (bytes: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(bytes))
const bytesOf = (source: BufferSource): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    source instanceof ArrayBuffer
      ? source
      : (source.buffer as ArrayBuffer).slice(source.byteOffset, source.byteOffset + source.byteLength),
  )

/** Passkeys belong to a name, and an address is none (WebAuthn Level 3, section 5.1.3). */
const isName = (host: string): boolean => !/^[\d.]+$|:/.test(host)

/** Why there can be no passkey here, for people; nothing where there may be one: the authenticator has the last word. */
export async function whyNoPasskey(): Promise<string | undefined> {
  if (typeof PublicKeyCredential === 'undefined' || !isSecureContext) return t('passkey.none')
  if (!isName(location.hostname)) return t('passkey.address')
  const capabilities = await PublicKeyCredential.getClientCapabilities?.().catch(() => undefined)
  return capabilities?.['extension:prf'] === false ? t('passkey.noSecrets') : undefined
}

/** Runs what the browser asks the person for. Throws {@link PasskeyRefused}. */
async function asked(run: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const credential = await run()
    if (credential) return credential as PublicKeyCredential
  } catch (cause) {
    throw new PasskeyRefused(t('passkey.refused'), { cause })
  }
  throw new PasskeyRefused(t('passkey.refused'))
}

/** AES-256-GCM, for wrapping another key. */
async function keyOf(secret: BufferSource, salt: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey'])
  const info = new TextEncoder().encode('sotto vault passkey')
  const by = { name: 'HKDF', hash: 'SHA-256', salt, info }
  return crypto.subtle.deriveKey(by, material, { name: 'AES-GCM', length: 256 }, false, [
    'wrapKey',
    'unwrapKey',
  ])
}

/** Makes one on this device, and its key. Throws {@link PasskeyRefused}. */
export async function makePasskey(): Promise<{ passkey: Passkey; key: CryptoKey }> {
  const salt = random(32)
  const credential = await asked(() =>
    navigator.credentials.create({
      publicKey: {
        rp: { name: 'Sotto' },
        user: { id: random(32), name: 'sotto', displayName: 'Sotto: what this browser keeps' },
        // Nobody checks the signature: what counts is the secret.
        challenge: random(32),
        pubKeyCredParams: [
          { type: 'public-key', alg: -7 },
          { type: 'public-key', alg: -257 },
        ],
        authenticatorSelection: { userVerification: 'required' },
        extensions: { prf: { eval: { first: salt } } },
      },
    }),
  )
  const { prf } = credential.getClientExtensionResults()
  if (!prf?.enabled) throw new PasskeyRefused(t('passkey.cannot'))
  const passkey = { id: bytesOf(credential.rawId), salt }
  // Some compute nothing before they are asked for it by itself.
  const key = prf.results ? await keyOf(prf.results.first, salt) : await keyOfPasskey(passkey)
  return { passkey, key }
}

/** Its key, once the person has given it. Throws {@link PasskeyRefused}. */
export async function keyOfPasskey({ id, salt }: Passkey): Promise<CryptoKey> {
  const credential = await asked(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: random(32),
        allowCredentials: [{ type: 'public-key', id }],
        userVerification: 'required',
        extensions: { prf: { eval: { first: salt } } },
      },
    }),
  )
  const secret = credential.getClientExtensionResults().prf?.results?.first
  if (!secret) throw new PasskeyRefused(t('passkey.cannot'))
  return keyOf(secret, salt)
}
