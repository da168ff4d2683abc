/** `sotto serve`: the model server. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromBase64Url, toBase64Url } from '../../handshake/encoding.ts'
import { loadIdentity } from '../../handshake/node/key-file.ts'
import { readCatalog } from '../../model/files/catalog.ts'
import { SHARED } from '../../protections/shared/id.ts'
import type { DealerSettings } from '../../protections/shared/serving.ts'
import type { EngineName } from '../../protections/veiled/engines.ts'
import { VEILED } from '../../protections/veiled/id.ts'
import type { VeiledServeSettings } from '../../protections/veiled/serving.ts'
import { startServer } from '../../server/start.ts'
import { AddressError, partyUrl } from '../../transport/party-url.ts'
import type { ValuesOf } from '../command.ts'
import {
  announceReady,
  listeningCommand,
  makeLog,
  started,
  stateDir,
  tlsOption,
  untilStopped,
} from '../common.ts'
import { UsageError } from '../errors.ts'
import { engineOption } from '../parties.ts'
import { announceProducts } from '../products.ts'
import { printResult } from '../terminal.ts'
import { identityKey, port, repeated, text, whole } from '../values.ts'

const declared = listeningCommand(
  'serve',
  'Run the model server, which holds the private model and never sees what people type.',
)
  .option(
    '--models <dir>',
    'folder of model bundles, or one bundle; models if neither it nor --veiled is given',
  )
  .option('--port <n>', 'port', port, 8421)
  .option('--key <file>', 'identity key, made on the first run', join(stateDir, 'server.pem'))
  .option(
    '--print-key',
    'print the identity key, which the dealer needs to allow this server, and stop',
    false,
  )
  .option('--drain <s>', 'when stopped, how long replies that are being written may take', whole(0), 60)
  .option('--dealer <url>', 'where the dealer listens')
  .option('--dealer-key <key>', "the dealer's identity key", identityKey)
  .option('--dealer-ca <file>', "certificate to trust, where the dealer's is self-made")
  .option(
    '--insecure-dealer',
    'talk to a dealer elsewhere without HTTPS: whoever listens in there, and opens a session of their own, can then read the private weights',
    false,
  )
  .optionsGroup('Veiled models (disguised, not encrypted):')
  .option('--veiled <cloud>', 'folder that sotto model veil has made; repeat for more', repeated(text))
  .addOption(engineOption())
  .option(
    '--upstream <url>',
    'an engine that runs already, with the one veiled model: vLLM or llama.cpp behind /v1/completions',
  )
  .option('--upstream-key <file>', 'the API key that it wants; the first line of a file')
  .option(
    '--attest <what>',
    "evidence of the enclave that this runs in: a command that prints it for $SOTTO_NONCE and $SOTTO_CHANNEL_KEY, or a simulator's key (simulator.pem)",
  )
  .optionsGroup('Options:')
  .addHelpText(
    'after',
    `
Examples:
  sotto serve --veiled CLOUD --origin https://chat.example
  sotto serve --models DIR --dealer https://dealer.example --dealer-key KEY --origin https://chat.example`,
  )

export const serveCommand = declared.action(serve)

async function serve(values: ValuesOf<typeof declared>): Promise<void> {
  const identity = loadIdentity(values.key)
  const key = toBase64Url(identity.publicKey)
  if (values.printKey) {
    printResult(values.json, { role: 'server', key }, `${key}\n`)
    return
  }
  const dealer = dealerOption(values)
  const log = makeLog(values.logLevel)
  const products = await announceProducts(log)
  const catalog =
    values.models === undefined && values.veiled ? [] : await readCatalog(values.models ?? 'models')
  const starting = startServer({
    identity,
    catalog,
    settings: { [SHARED]: { dealer }, ...veiledSettings(values) },
    log,
    host: values.host,
    port: values.port,
    origins: values.origin ?? [],
    names: values.name ?? [],
    tls: await tlsOption(values),
    trustProxy: values.trustProxy,
    maxSessions: values.maxSessions,
    maxSessionsPerPeer: values.maxSessionsPerAddress,
  })
  const running = await started(starting)
  const models = running.models
  const facts = { role: 'server', url: running.url, key, models, pid: process.pid, ...products }
  const ready = running.whenReady().then(() => {
    announceReady(
      values.json,
      facts,
      `The model server listens at ${running.url}\nIts identity key, for --allow: ${key}`,
    )
  })
  const failure = await Promise.race([running.failed, ready.then(untilStopped), untilStopped()])
  if (!(failure instanceof Error) && failure !== 'disconnect')
    await running.sessions.drain(1000 * values.drain)
  await running.close()
  if (failure instanceof Error) throw failure
}

interface VeiledValues {
  veiled?: string[]
  engine?: EngineName
  upstream?: string
  upstreamKey?: string
  attest?: string
}

function veiledSettings({ veiled: clouds, engine, upstream: address, upstreamKey, attest }: VeiledValues) {
  if (!clouds && (engine ?? address ?? attest) !== undefined)
    throw new UsageError('--engine, --upstream and --attest are for veiled models: give --veiled, too.')
  if (!clouds) return {}
  if (address !== undefined && (engine !== undefined || clouds.length > 1))
    throw new UsageError('An engine behind --upstream has one model: give one --veiled, and no --engine.')
  if (address === undefined && upstreamKey !== undefined)
    throw new UsageError('--upstream-key is for an engine that runs already: give --upstream, too.')
  const key = upstreamKey === undefined ? undefined : readKey(upstreamKey)
  const upstream = address === undefined ? undefined : { url: upstreamUrl(address), key }
  return { [VEILED]: { clouds, engine, upstream, attest } satisfies VeiledServeSettings }
}

/** The first line. On the command line everybody on the machine could read it. */
function readKey(file: string): string {
  try {
    const [key] = readFileSync(file, 'utf8').split(/\r?\n/)
    if (/^[\x21-\x7e]{1,4096}$/.test(key)) return key
  } catch (cause) {
    throw new UsageError(`${file} cannot be read: ${(cause as NodeJS.ErrnoException).code}.`)
  }
  throw new UsageError(`The first line of ${file} is no key: printable characters without spaces.`)
}

/** Ids go there in the open: on this machine, in a network that is one's own, or over HTTPS. */
function upstreamUrl(address: string): string {
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
    throw new UsageError('--upstream wants an address such as http://127.0.0.1:8000.')
  return new URL(address).href
}

interface DealerValues {
  dealer?: string
  dealerKey?: string
  dealerCa?: string
  insecureDealer: boolean
}

/** The dealer, for protections that need one. */
function dealerOption(values: DealerValues): DealerSettings['dealer'] | undefined {
  const { dealer, dealerKey, dealerCa: ca } = values
  if (dealer === undefined && dealerKey === undefined) return undefined
  if (dealer === undefined || dealerKey === undefined)
    throw new UsageError('--dealer and --dealer-key belong together.', 'See sotto serve --help.')
  const url = dealerUrl(dealer, values.insecureDealer)
  return {
    url,
    isOpenAllowed: values.insecureDealer,
    key: fromBase64Url(dealerKey, 32),
    ca: ca === undefined ? undefined : readFileSync(ca, 'utf8'),
  }
}

function dealerUrl(text: string, isOpenAllowed: boolean): string {
  try {
    return partyUrl(text, 'the dealer (--dealer)', { isOpenAllowed })
  } catch (error) {
    if (!(error instanceof AddressError)) throw error
    throw new UsageError(error.message, `${error.advice} (--insecure-dealer overrides this; see --help.)`)
  }
}
