/** Self-signed certificates (RFC 5280), by WebCrypto and an X.509 library. */
import 'reflect-metadata'
import { isIP } from 'node:net'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

const DAY_MS = 24 * 3_600_000
/** Clients refuse certificates of more than 398 days. */
const VALID_DAYS = 365

/**
 * A certificate and its key, both PEM, for HTTPS servers called `names` (DNS names and IP addresses), under a fresh P-256 key. It signs nothing
 * but handshakes: whoever trusts it trusts these names, and no certificate that its key could sign.
 */
export async function makeCertificate(names: readonly string[]): Promise<{ cert: string; key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const now = Date.now()
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ['sotto (self-made)'] }],
    serialNumber: randomSerial(),
    // A visitor's clock may be behind.
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + (VALID_DAYS - 1) * DAY_MS),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
      ),
    ],
  })
  const key = PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  return { cert: `${certificate.toString('pem')}\n`, key: `${key}\n` }
}

/** 127 random bits, positive and without leading zeros (RFC 5280, section 4.1.2.2). */
function randomSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[0] = (bytes[0] & 0x7f) | 0x40
  return Buffer.from(bytes).toString('hex')
}
