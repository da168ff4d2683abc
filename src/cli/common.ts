/** Options that `serve` and `deal` share, and what a long-running process does the same way. */
import pino, { type Logger } from 'pino'
import { fromBase64Url } from '../handshake/encoding.ts'
import { readCertificate, selfMadeCertificate, type Tls } from '../transport/node/certificate.ts'
import { UsageError } from './args.ts'

export const listenOptions = {
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string' },
  key: { type: 'string' },
  origin: { type: 'string', multiple: true },
  https: { type: 'boolean', default: false },
  cert: { type: 'string' },
  'cert-key': { type: 'string' },
  'trust-proxy': { type: 'boolean', default: false },
  'max-sessions': { type: 'string' },
  'log-level': { type: 'string', default: 'info' },
  json: { type: 'boolean', default: false },
} as const

export const listenHelp = `
  --host HOST        interface to listen on (127.0.0.1; 0.0.0.0 for all)
  --origin URL       origin of a page that may connect; repeat for more, * for all
  --https            listen for HTTPS, with a self-made certificate unless one is given:
  --cert FILE        certificate, PEM
  --cert-key FILE    its private key, PEM
  --trust-proxy      take visitors' addresses from the last entry of x-forwarded-for
  --max-sessions N   sessions at once (256)
  --log-level LEVEL  trace, debug, info, warn, error or silent (info); logs go to standard error
  --json             print one JSON object when ready
  --help             this text`

/** Where keys and self-made certificates are kept unless told otherwise. */
export const stateDir = '.cache/sotto'

export interface TlsValues {
  https: boolean
  host: string
  cert?: string
  'cert-key'?: string
}

export async function tlsOption(values: TlsValues): Promise<Tls | undefined> {
  const { https, host, cert, 'cert-key': key } = values
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError('--cert and --cert-key belong together.')
  if (cert && key) return readCertificate(cert, key)
  return https ? selfMadeCertificate(stateDir, host) : undefined
}

export function makeLog(level: string): Logger {
  const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']
  if (!levels.includes(level))
    throw new UsageError(`--log-level must be one of ${levels.join(', ')}, not "${level}".`)
  // Addresses of visitors, payloads and keys are never passed to the log in the first place.
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  )
}

export function keyOption(name: string, text: string): Uint8Array {
  try {
    return fromBase64Url(text, 32)
  } catch {
    throw new UsageError(
      `--${name} must be an identity key: 43 characters of base64url, as the other side prints it.`,
    )
  }
}

/** Says that a party is ready: to a parent process, and to the person or program at the terminal. */
export function announceReady(json: boolean, facts: Record<string, unknown>, text: string): void {
  process.send?.({ ready: true, ...facts })
  if (json) process.stdout.write(`${JSON.stringify(facts)}\n`)
  else if (!process.send) process.stdout.write(`${text}\n`)
}

/** Resolves on Ctrl-C, on SIGTERM, or when the parent process goes away. */
export function untilStopped(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal))
    if (process.send) process.once('disconnect', () => resolve('disconnect'))
  })
}
