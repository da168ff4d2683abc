/** Chains of X.509 certificates up to a pinned root (RFC 5280, section 6), without what attestation has no use for. */
import 'reflect-metadata'
import { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, X509Certificate } from '@peculiar/x509'
import { sha256 } from '../crypto.ts'
import { equalBytes, toHex } from '../encoding.ts'
import { checkSpelling } from './der.ts'
import { AttestationError } from './error.ts'

/** How all certificates of a chain must be signed, but the last one's own key, which is always of P-384. */
export type ChainAlgorithm = 'ECDSA P-384' | 'RSA-PSS'

export interface ChainOptions {
  /** SHA-256 of the roots' certificates, hexadecimal: one of them. */
  readonly roots: readonly string[]
  readonly at: Date
  readonly algorithm: ChainAlgorithm
}

/** Certificates of one chain may be so large together, and so many. */
const MOST_BYTES = 64 * 1024
const MOST = 8

/** Extensions that are understood here, by their identifiers: others must not be critical. */
const understood = ['2.5.29.19', '2.5.29.15']

/**
 * Checks a chain of DER certificates, the root first, each the issuer of the next: pins, signatures, dates, names, and what
 * each key is for. Resolves with the last one, whose key signs evidence. Rejects with {@link AttestationError}.
 */
export async function verifyChain(
  ders: readonly Uint8Array[],
  options: ChainOptions,
): Promise<X509Certificate> {
  try {
    return await checked(ders, options)
  } catch (cause) {
    // The library reads names and extensions when they are asked for, and only then finds them damaged.
    if (cause instanceof AttestationError) throw cause
    throw new AttestationError('malformed', 'A certificate cannot be read.', { cause })
  }
}

async function checked(
  ders: readonly Uint8Array[],
  { roots, at, algorithm }: ChainOptions,
): Promise<X509Certificate> {
  if (ders.length < 2 || ders.length > MOST)
    throw new AttestationError('bad-chain', `A chain has 2 to ${MOST} certificates, not ${ders.length}.`)
  if (ders.reduce((sum, { length }) => sum + length, 0) > MOST_BYTES)
    throw new AttestationError('malformed', 'The certificates are too large.')
  if (!roots.includes(toHex(await sha256(ders[0]))))
    throw new AttestationError('untrusted-root', 'The chain begins with a root that is not trusted.')
  const chain = ders.map((der) => {
    checkSpelling(der)
    return new X509Certificate(der as Uint8Array<ArrayBuffer>)
  })
  for (const [i, certificate] of chain.entries()) {
    checkUse(certificate, chain.length - 1 - i)
    checkDates(certificate, at)
    checkAlgorithm(certificate, algorithm)
    await checkIssuer(certificate, chain[Math.max(0, i - 1)])
  }
  const leaf = chain[chain.length - 1]
  const { name: kind, namedCurve } = leaf.publicKey.algorithm as EcKeyAlgorithm
  if (kind !== 'ECDSA' || namedCurve !== 'P-384')
    throw new AttestationError('bad-chain', 'The key that signs evidence is not of P-384.')
  return leaf
}

const signerOf = ({ publicKey }: X509Certificate): Promise<CryptoKey> =>
  crypto.subtle.importKey('spki', publicKey.rawData, { name: 'ECDSA', namedCurve: 'P-384' }, false, [
    'verify',
  ])

/** Whether r | s (96 bytes) is this key's ECDSA signature with SHA-384. */
export const verifyP384 = async (
  signer: X509Certificate,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> =>
  crypto.subtle.verify(
    { name: 'ECDSA', hash: 'SHA-384' },
    await signerOf(signer),
    signature as Uint8Array<ArrayBuffer>,
    message as Uint8Array<ArrayBuffer>,
  )

const bytesOf = (dn: X509Certificate['subjectName']): Uint8Array => new Uint8Array(dn.toArrayBuffer())

const name = ({ subjectName }: X509Certificate): string =>
  `"${subjectName.getField('CN')[0]?.slice(0, 80) ?? 'a certificate without a name'}"`

async function checkIssuer(certificate: X509Certificate, issuer: X509Certificate): Promise<void> {
  if (!equalBytes(bytesOf(certificate.issuerName), bytesOf(issuer.subjectName)))
    throw new AttestationError('bad-chain', `${name(certificate)} names another issuer than ${name(issuer)}.`)
  // A library's complaint about a damaged signature is one that does not hold.
  const { publicKey } = issuer
  if (!(await certificate.verify({ publicKey, signatureOnly: true }).catch(() => false)))
    throw new AttestationError('bad-signature', `${name(issuer)} has not signed ${name(certificate)}.`)
}

function checkDates(certificate: X509Certificate, at: Date): void {
  const { notBefore, notAfter } = certificate
  if (at >= notBefore && at <= notAfter) return
  throw new AttestationError(
    'expired',
    `${name(certificate)} holds from ${notBefore.toISOString()} to ${notAfter.toISOString()}, not at ${at.toISOString()}.`,
  )
}

/** `below`: certificates that follow, the last one among them. */
function checkUse(certificate: X509Certificate, below: number): void {
  const complain = (what: string): never => {
    throw new AttestationError('bad-chain', `${name(certificate)} ${what}.`)
  }
  for (const { critical, type } of certificate.extensions)
    if (critical && !understood.includes(type)) complain(`demands something unknown (${type})`)
  const constraints = certificate.getExtension(BasicConstraintsExtension)
  const usages = certificate.getExtension(KeyUsagesExtension)?.usages
  if (below === 0) {
    if (constraints?.ca) complain('is an authority, and signs evidence')
    if (usages !== undefined && !(usages & KeyUsageFlags.digitalSignature)) complain('must not sign evidence')
    return
  }
  if (!constraints?.ca) complain('is no authority')
  if (constraints?.pathLength !== undefined && constraints.pathLength < below - 1)
    complain('may not have so many certificates below it')
  if (usages !== undefined && !(usages & KeyUsageFlags.keyCertSign)) complain('must not sign certificates')
}

function checkAlgorithm(certificate: X509Certificate, wanted: ChainAlgorithm): void {
  const { name: kind, hash } = certificate.signatureAlgorithm as { name: string; hash?: { name: string } }
  if (kind === (wanted === 'RSA-PSS' ? 'RSA-PSS' : 'ECDSA') && hash?.name === 'SHA-384') return
  throw new AttestationError('bad-chain', `${name(certificate)} is not signed with ${wanted} and SHA-384.`)
}
