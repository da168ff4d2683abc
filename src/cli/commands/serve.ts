/** `sotto serve`: the model server. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { toBase64Url } from '../../handshake/encoding.ts'
import { loadIdentity } from '../../handshake/node/key-file.ts'
import { readCatalog } from '../../model/files/catalog.ts'
import { SHARED } from '../../protections/shared/id.ts'
import type { DealerSettings } from '../../protections/shared/serving.ts'
import { startServer } from '../../server/start.ts'
import { isLoopback } from '../../transport/node/http.ts'
import { numberOption, parse, portOption, required, UsageError } from '../args.ts'
import {
  announceReady,
  keyOption,
  listenHelp,
  listenOptions,
  makeLog,
  stateDir,
  tlsOption,
  untilStopped,
} from '../common.ts'

const help = `
sotto serve: run the model server, which holds the private model and never sees what people type

  sotto serve --models DIR --dealer https://dealer.example --dealer-key KEY --origin https://chat.example

  --models DIR       folder of model bundles, or one bundle (models)
  --port N           port (8421)
  --key FILE         identity key, made on the first run (${stateDir}/server.pem)
  --print-key        print the identity key, which the dealer needs to allow this server, and stop
  --dealer URL       where the dealer listens
  --dealer-key KEY   the dealer's identity key
  --dealer-ca FILE   certificate to trust, where the dealer's is self-made
  --insecure-dealer  talk to a dealer elsewhere without HTTPS: whoever listens in there, and opens a
                     session of their own, can then read the private weights${listenHelp}
`

export async function serveCommand(argv: string[]): Promise<void> {
  const { values } = parse(argv, help, {
    ...listenOptions,
    models: { type: 'string', default: 'models' },
    'print-key': { type: 'boolean', default: false },
    dealer: { type: 'string' },
    'dealer-key': { type: 'string' },
    'dealer-ca': { type: 'string' },
    'insecure-dealer': { type: 'boolean', default: false },
  })
  const identity = loadIdentity(values.key ?? join(stateDir, 'server.pem'))
  const key = toBase64Url(identity.publicKey)
  if (values['print-key']) {
    process.stdout.write(values.json ? `${JSON.stringify({ role: 'server', key })}\n` : `${key}\n`)
    return
  }
  const dealer = dealerOption(values)
  const log = makeLog(values['log-level'])
  const port = portOption(values.port, 8421)
  const catalog = await readCatalog(values.models)
  const running = await startServer({
    identity,
    catalog,
    settings: { [SHARED]: { dealer } },
    log,
    host: values.host,
    port,
    origins: values.origin ?? [],
    tls: tlsOption(values),
    trustProxy: values['trust-proxy'],
    maxSessions: numberOption('max-sessions', values['max-sessions'], { min: 1 }),
  })
  const models = catalog.map((entry) => entry.name)
  const facts = { role: 'server', url: running.url, key, models, pid: process.pid }
  const ready = running.whenReady().then(() => {
    announceReady(
      values.json,
      facts,
      `The model server listens at ${running.url}\nIts identity key, for --allow: ${key}`,
    )
  })
  const failure = await Promise.race([running.failed, ready.then(untilStopped), untilStopped()])
  await running.close()
  if (failure instanceof Error) throw failure
}

interface DealerValues {
  dealer?: string
  'dealer-key'?: string
  'dealer-ca'?: string
  'insecure-dealer': boolean
}

/** The dealer, for protections that need one. */
function dealerOption(values: DealerValues): DealerSettings['dealer'] | undefined {
  if (values.dealer === undefined && values['dealer-key'] === undefined) return undefined
  const url = dealerUrl(required('dealer', values.dealer), values['insecure-dealer'])
  const key = keyOption('dealer-key', required('dealer-key', values['dealer-key']))
  const ca = values['dealer-ca']
  return { url, key, ca: ca === undefined ? undefined : readFileSync(ca, 'utf8') }
}

function dealerUrl(text: string, insecure: boolean): string {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new UsageError(`--dealer must be a URL such as https://dealer.example, not "${text}".`)
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !insecure) {
    throw new UsageError(
      'A dealer elsewhere must be reached by https:. (--insecure-dealer overrides this; see --help.)',
    )
  }
  return url.href
}
