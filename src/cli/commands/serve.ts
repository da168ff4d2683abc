/** `sotto serve`: the model server. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromBase64Url, toBase64Url } from '../../handshake/encoding.ts'
import { loadIdentity } from '../../handshake/node/key-file.ts'
import { readCatalog } from '../../model/files/catalog.ts'
import { startServer } from '../../server/start.ts'
import { isLoopback } from '../../transport/node/http.ts'
import type { ValuesOf } from '../command.ts'
import { announceReady, listeningCommand, makeLog, stateDir, tlsOption, untilStopped } from '../common.ts'
import { serverEngine } from '../engines.ts'
import { UsageError } from '../errors.ts'
import { identityKey, port } from '../values.ts'

const declared = listeningCommand(
  'serve',
  'Run the model server, which holds the private model and never sees what people type.',
)
  .option('--models <dir>', 'folder of model bundles, or one bundle', 'models')
  .option('--port <n>', 'port', port, 8421)
  .option('--key <file>', 'identity key, made on the first run', join(stateDir, 'server.pem'))
  .option(
    '--print-key',
    'print the identity key, which the dealer needs to allow this server, and stop',
    false,
  )
  .option('--dealer <url>', 'where the dealer listens')
  .option('--dealer-key <key>', "the dealer's identity key", identityKey)
  .option('--dealer-ca <file>', "certificate to trust, where the dealer's is self-made")
  .option(
    '--insecure-dealer',
    'talk to a dealer elsewhere without HTTPS: whoever listens in there, and opens a session of their own, can then read the private weights',
    false,
  )
  .addHelpText(
    'after',
    `
Examples:
  sotto serve --models DIR --dealer https://dealer.example --dealer-key KEY --origin https://chat.example`,
  )

export const serveCommand = declared.action(serve)

async function serve(values: ValuesOf<typeof declared>): Promise<void> {
  const identity = loadIdentity(values.key)
  const key = toBase64Url(identity.publicKey)
  if (values.printKey) {
    process.stdout.write(values.json ? `${JSON.stringify({ role: 'server', key })}\n` : `${key}\n`)
    return
  }
  if (values.dealer === undefined || values.dealerKey === undefined)
    throw new UsageError('Which dealer? Give its --dealer URL and --dealer-key.', 'See sotto serve --help.')
  const dealerUrl = dealerOption(values.dealer, values.insecureDealer)
  const dealerKey = fromBase64Url(values.dealerKey, 32)
  const ca = values.dealerCa && readFileSync(values.dealerCa, 'utf8')
  const log = makeLog(values.logLevel)
  const catalog = await readCatalog(values.models)
  const running = await startServer({
    identity,
    engine: await serverEngine(catalog, identity),
    catalog,
    dealer: { url: dealerUrl, key: dealerKey, ca },
    log,
    host: values.host,
    port: values.port,
    origins: values.origin ?? [],
    tls: tlsOption(values),
    trustProxy: values.trustProxy,
    maxSessions: values.maxSessions,
  })
  const models = catalog.map((entry) => entry.name)
  const facts = { role: 'server', url: running.url, key, models, pid: process.pid }
  const ready = running.material.whenReady().then(() => {
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

function dealerOption(text: string, insecure: boolean): string {
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
