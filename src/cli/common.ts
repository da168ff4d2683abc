/** Options that `serve` and `deal` share, and what a long-running process does the same way. */

import { Option } from '@commander-js/extra-typings'
import pino, { type DestinationStream, type Logger } from 'pino'
import { readCertificate, selfMadeCertificate, type Tls } from '../transport/node/certificate.ts'
import { plainJson } from '../transport/plain-text.ts'
import { command } from './command.ts'
import { UsageError } from './errors.ts'
import { LogDrain } from './log-drain.ts'
import { printResult } from './terminal.ts'
import { repeated, text, whole } from './values.ts'

/** A command of a party that listens, with the options that all of those have. */
export const listeningCommand = (name: string, description: string) =>
  command(name, description)
    .optionsGroup('Listening:')
    .option('--host <host>', 'interface to listen on; 0.0.0.0 for all', '127.0.0.1')
    .option('--origin <url>', 'origin of a page that may connect; repeat for more, * for all', repeated(text))
    .option(
      '--name <host>',
      'name under which it is visited, as in https://NAME; repeat for more. Addresses, localhost and the names in --cert need none',
      repeated(text),
    )
    .option('--https', 'listen for HTTPS, with a self-made certificate unless one is given', false)
    .option('--cert <file>', 'certificate, PEM')
    .option('--cert-key <file>', 'its private key, PEM')
    .option('--trust-proxy', "take visitors' addresses from the last entry of x-forwarded-for", false)
    .option('--max-sessions <n>', 'sessions at once; 256 if not given', whole(1))
    .option(
      '--max-sessions-per-address <n>',
      'of them for one address; 32 if not given. More where an office comes from behind one',
      whole(1),
    )
    .addOption(
      new Option('--log-level <level>', 'what is logged, to standard error')
        .choices(logLevels)
        .default('info'),
    )
    .option('--json', 'print one JSON object when ready', false)
    .optionsGroup('Options:')

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** Where keys and self-made certificates are kept unless told otherwise. */
export const stateDir = '.cache/sotto'

export interface TlsValues {
  https: boolean
  host: string
  cert?: string
  certKey?: string
}

export async function tlsOption(values: TlsValues): Promise<Tls | undefined> {
  const { https, host, cert, certKey: key } = values
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError('--cert and --cert-key belong together.')
  if (cert && key) return readCertificate(cert, key)
  return https ? selfMadeCertificate(stateDir, host) : undefined
}

/** Standard error, which takes what it can. */
function standardLog(): LogDrain {
  const drain = new LogDrain()
  process.once('exit', () => drain.end())
  return drain
}

export function makeLog(level: string, destination: DestinationStream = standardLog()): Logger {
  // Addresses of visitors, payloads, keys and the words of others are never passed to the log in the first place.
  const hooks = { streamWrite: plainJson }
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, hooks }, destination)
}

/** Says that a party is ready: to a parent process, and to the person or program at the terminal. */
export function announceReady(json: boolean, facts: Record<string, unknown>, text: string): void {
  process.send?.({ ready: true, ...facts })
  if (json || !process.send) printResult(json, facts, `${text}\n`)
}

/** As shells have it: 128 and the signal's number. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, disconnect: 1 } as const

/**
 * Waits for what takes long to start. Whoever stops the process meanwhile ends it at once, and yet by way of `exit`, where
 * what was begun is taken back: by a signal it would stay.
 */
export async function started<T>(starting: Promise<T>): Promise<T> {
  const stops = Object.entries(exitCodes).map(([event, code]) => [event, () => process.exit(code)] as const)
  for (const [event, stop] of stops) process.once(event, stop)
  try {
    return await starting
  } finally {
    for (const [event, stop] of stops) process.off(event, stop)
  }
}

/** Resolves on Ctrl-C, on SIGTERM, or when the parent process goes away. */
export function untilStopped(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal))
    if (process.send) process.once('disconnect', () => resolve('disconnect'))
  })
}
