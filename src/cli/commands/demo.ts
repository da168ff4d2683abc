/** `sotto demo`: everything on this machine, in four origins: page, model server, dealer, and a site that embeds the page. */

import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Option } from '@commander-js/extra-typings'
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { AUDITED } from '../../protections/shared/session/toss.ts'
import { pageApp } from '../../server/page.ts'
import { ownNames } from '../../transport/node/certificate.ts'
import { listen } from '../../transport/node/http.ts'
import { auditHelp, probability } from '../audits.ts'
import { buildPage, pageDir, pageIsStale } from '../build-page.ts'
import { command, type ValuesOf } from '../command.ts'
import { logLevels, stateDir, tlsOption, untilStopped } from '../common.ts'
import { UsageError } from '../errors.ts'
import { pageConfig, withVeiled } from '../page-config.ts'
import { startProcesses } from '../processes.ts'
import { shopApp } from '../shop.ts'
import { print, printJson } from '../terminal.ts'
import { list, port as portNumber, webOrigin } from '../values.ts'
import { simulatedEnclave, veiledDemos } from '../veiled-demo.ts'

const checkout = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

/** Who runs both of the others here: nobody is protected, and the page says so. */
const OPERATOR = 'this computer'

const declared = command(
  'demo',
  'Build and serve the chat page, with a model server and a dealer as separate processes.',
)
  .addOption(
    new Option('--models <dir>', 'folder of model bundles').default(
      checkout('models'),
      'models of this checkout',
    ),
  )
  .option('--dealer-models <dir>', "the dealer's split bundles, where --models has the server's")
  .option(
    '--port <n>',
    'port of the page; server, dealer and a sample site that embeds it take the next three. 0: any free ones',
    portNumber,
    8420,
  )
  .option('--host <host>', 'interface to listen on', '127.0.0.1')
  .option(
    '--https',
    'listen for HTTPS, with a self-made certificate unless one is given by --cert and --cert-key',
    false,
  )
  .option('--cert <file>', 'certificate, PEM')
  .option('--cert-key <file>', 'its private key, PEM')
  .option('--audit <p>', `${auditHelp}; for config.json of the page`, probability, AUDITED)
  .option(
    '--embed-origins <urls>',
    'sites that may embed the chat, with commas between; the sample site may always',
    list(webOrigin),
  )
  .option('--no-build', 'serve the page as it was built last')
  .addOption(
    new Option('--log-level <level>', 'what server and dealer log, to standard error')
      .choices(logLevels)
      .default('warn'),
  )
  .option('--json', 'print one JSON object when ready', false)
  .addHelpText(
    'after',
    `
Examples:
  sotto demo                             then open the address that it prints
  sotto demo --host 0.0.0.0 --https      for a phone on the same network
  sotto demo --embed-origins http://localhost:3000    for a site of yours that embeds the chat`,
  )

export const demoCommand = declared.action(demo)

async function demo(values: ValuesOf<typeof declared>): Promise<void> {
  const open: (() => Promise<void>)[] = []
  try {
    await run(values, open)
  } finally {
    await Promise.all(open.map((close) => close()))
  }
}

/** @param open takes what is to be closed in the end, also where something fails to start */
async function run(values: ValuesOf<typeof declared>, open: (() => Promise<void>)[]): Promise<void> {
  const { models, host, port, json } = values
  if (!existsSync(models))
    throw new UsageError(`There is no folder ${models}. Give one with bundles by --models.`)
  const tls = await tlsOption(values)
  const tlsArgs = values.cert
    ? ['--cert', values.cert, '--cert-key', values.certKey!]
    : values.https
      ? ['--https']
      : []
  const selfMade = values.https && !values.cert
  const say = (text: string) => void (json || print(`${text}\n`))
  const stopped = untilStopped()

  // The page's port comes first: server and dealer accept only its origins.
  const page: { app?: Hono<{ Bindings: HttpBindings }> } = {}
  const front = new Hono<{ Bindings: HttpBindings }>()
  front.all(
    '*',
    (c) => page.app?.fetch(c.req.raw, c.env) ?? c.text('Sotto is starting. Reload in a moment.', 503),
  )
  const listening = await listen({ app: front, host, port, tls })
  open.push(listening.close)
  const scheme = tls ? 'https' : 'http'
  const origins = ownNames(host).map(
    (name) => `${scheme}://${name.includes(':') ? `[${name}]` : name}:${listening.port}`,
  )

  const building = values.build && pageIsStale()
  if (building) say('Building the page …')
  const disguised = await veiledDemos(models, stateDir)
  const kits = disguised
    .flatMap(({ kits }) => Object.entries(kits))
    .map(([keyId, kit]) => ({ keyId, kit, path: `/keys/${keyId}.json` }))
  const enclave = disguised.length === 0 ? undefined : simulatedEnclave(stateDir)
  const starting = startProcesses({
    models,
    veiled: disguised.map(({ cloud }) => cloud),
    attest: enclave?.key,
    dealerModels: values.dealerModels,
    host,
    serverPort: port && port + 1,
    dealerPort: port && port + 2,
    origins,
    names: ownNames(host).filter((name) => isIP(name) === 0),
    tlsArgs,
    dealerCa: selfMade ? join(stateDir, 'self-made.crt') : undefined,
    logLevel: values.logLevel,
  })
  open.push(() =>
    starting.then(
      ({ stop }) => stop(),
      () => undefined,
    ),
  )
  const [processes] = await Promise.all([starting, building ? buildPage() : undefined])
  const { server, dealer } = processes
  const config = (visited: string) => ({
    ...withVeiled(
      pageConfig(
        withHost(server.url, visited),
        { url: withHost(dealer.url, visited), key: dealer.key, operator: OPERATOR },
        values.audit,
      ),
      { kits: Object.fromEntries(kits.map(({ keyId, path }) => [keyId, path])), policy: enclave?.policy },
    ),
    operator: OPERATOR,
  })
  const shop = await listen({
    // Under another name than the shop's, browsers keep the two further apart.
    app: shopApp((visited) => withHost(listening.url, visited === 'localhost' ? '127.0.0.1' : visited)),
    host,
    port: port && port + 3,
    tls,
  })
  open.push(shop.close)
  // Browsers' policies have no addresses of IPv6.
  const shopNames = [...new Set([...ownNames(host), 'localhost'])].filter((name) => !name.includes(':'))
  const sites = [...shopNames.map((name) => withHost(shop.url, name)), ...(values.embedOrigins ?? [])]
  const embedders = sites.map((origin) => ({ origin }))
  const more = new Map(kits.map(({ path, kit }) => [path, kit]))
  page.app = pageApp({ dir: pageDir, config, more, embedders, names: ownNames(host), tls })

  const facts = { url: listening.url, server, dealer, shop: withHost(shop.url, 'localhost') }
  if (json) printJson(facts)
  say(`\n  Sotto is ready: ${listening.url}\n`)
  if (host === '0.0.0.0') for (const origin of origins) say(`    also ${origin}`)
  say(`  model server  ${server.url}   ${server.models.join(', ')}`)
  say(`  dealer        ${dealer.url}   key ${dealer.key}`)
  say(`  sample site   ${facts.shop}   with the chat in it\n\n  Stop with Ctrl-C.`)

  const why = await Promise.race([stopped, processes.ended])
  if (why !== 'SIGINT' && why !== 'SIGTERM' && why !== 'disconnect') throw new Error(why)
}

/** On a local network all three are visited under the same name. */
function withHost(url: string, host: string): string {
  const changed = new URL(url)
  changed.hostname = host
  return changed.href.replace(/\/$/, '')
}
