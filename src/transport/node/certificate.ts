/** Certificates for HTTPS: given ones, or a self-made one through the `openssl` program. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'

export interface Tls {
  cert: string
  key: string
}

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

/**
 * Makes a certificate in `dir`, or takes the one made there before. Browsers warn about it once; the page then counts
 * as a secure context, which WebGPU and WebCrypto ask for. Throws a plain explanation where there is no `openssl`.
 */
export function selfMadeCertificate(dir: string, host?: string): Tls {
  const [cert, key] = [join(dir, 'self-made.crt'), join(dir, 'self-made.key')]
  if (!existsSync(cert) || !existsSync(key)) {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    const names = ownNames(host).map((name) => `${isIP(name) ? 'IP' : 'DNS'}:${name}`)
    const subject = ['-subj', '/CN=sotto (self-made)', '-addext', `subjectAltName=${names.join()}`]
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '365']
    try {
      execFileSync('openssl', ['req', ...kind, '-keyout', key, '-out', cert, ...subject], { stdio: 'pipe' })
    } catch (cause) {
      throw new Error(
        'A self-made certificate needs the program openssl, which failed or is not installed. Give --cert and --cert-key instead.',
        { cause },
      )
    }
  }
  return readCertificate(cert, key)
}
