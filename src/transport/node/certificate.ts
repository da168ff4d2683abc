/** Certificates for HTTPS: given ones, or a self-made one that is kept in a folder. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'

/** A certificate (chain) and its private key. */
export interface Tls {
  /** PEM. */
  cert: string
  key: string
}

/** Reads both from PEM files. Throws where one cannot be read. */
export function readCertificate(certFile: string, keyFile: string): Tls {
  return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') }
}

/** Names under which this machine may be visited. */
export function ownNames(host?: string): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).map((entry) => entry.address),
  )
  const named = host && host !== '0.0.0.0' && host !== '::' ? [host] : []
  return [
    ...new Set(['localhost', '127.0.0.1', '::1', ...named, ...addresses.filter((a) => !a.includes('%'))]),
  ]
}

/** A self-made certificate with less time than this is made anew. */
const RENEW_MS = 14 * 24 * 3_600_000

/**
 * Makes a certificate in `dir`, or takes the one made there before while it holds. Browsers warn about it once; the page
 * then counts as a secure context, which WebGPU and WebCrypto ask for.
 */
export async function selfMadeCertificate(dir: string, host?: string): Promise<Tls> {
  const [certFile, keyFile] = [join(dir, 'self-made.crt'), join(dir, 'self-made.key')]
  if (existsSync(certFile) && existsSync(keyFile)) {
    const kept = readCertificate(certFile, keyFile)
    if (holds(kept)) return kept
  }
  // Only those who need it wait for its libraries.
  const { makeCertificate } = await import('./make-certificate.ts')
  const made = await makeCertificate(ownNames(host))
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  writeFileSync(keyFile, made.key, { mode: 0o600 })
  writeFileSync(certFile, made.cert)
  return made
}

/** Whether key and certificate belong together and are good for a while: a run may have ended between two files. */
function holds({ cert, key }: Tls): boolean {
  try {
    const certificate = new X509Certificate(cert)
    return (
      certificate.checkPrivateKey(createPrivateKey(key)) &&
      Date.parse(certificate.validTo) - Date.now() > RENEW_MS
    )
  } catch {
    return false
  }
}
