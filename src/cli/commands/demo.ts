/** `sotto demo`: everything on this machine, in three origins: page, model server, dealer. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { pageApp } from '../../server/page.ts'
import { ownNames } from '../../transport/node/certificate.ts'
import { listen } from '../../transport/node/http.ts'
import { parse, portOption, UsageError } from '../args.ts'
import { buildPage, pageDir, pageIsStale } from '../build-page.ts'
import { stateDir, tlsOption, untilStopped } from '../common.ts'
import { pageConfig } from '../page-config.ts'
import { startProcesses } from '../processes.ts'

const help = `
sotto demo: build and serve the chat page, with a model server and a dealer as separate processes

  sotto demo                    then open the address that it prints
  sotto demo --host 0.0.0.0 --https      for a phone on the same network

  --models DIR       folder of model bundles (models of this checkout)
  --dealer-models DIR  the dealer's split bundles, where --models has the server's
  --port N           port of the page (8420); server and dealer take the next two. 0: any free ones
  --host HOST        interface to listen on (127.0.0.1; 0.0.0.0 for all)
  --https            with a self-made certificate, unless one is given by --cert and --cert-key
  --cert FILE, --cert-key FILE
  --no-build         serve the page as it was built last
  --log-level LEVEL  of server and dealer (warn)
  --json             print one JSON object when ready
  --help             this text
`

const checkout = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

export async function demoCommand(argv: string[]): Promise<void> {
  const { values } = parse(argv, help, {
    models: { type: 'string', default: checkout('models') },
    'dealer-models': { type: 'string' },
    port: { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' },
    https: { type: 'boolean', default: false },
    cert: { type: 'string' },
    'cert-key': { type: 'string' },
    'no-build': { type: 'boolean', default: false },
    'log-level': { type: 'string', default: 'warn' },
    json: { type: 'boolean', default: false },
  })
  const { models, host, json } = values
  if (!existsSync(models))
    throw new UsageError(`There is no folder ${models}. Give one with bundles by --models.`)
  const port = portOption(values.port, 8420)
  const tls = tlsOption(values)
  const tlsArgs = values.cert
    ? ['--cert', values.cert, '--cert-key', values['cert-key']!]
    : values.https
      ? ['--https']
      : []
  const selfMade = values.https && !values.cert
  const say = (text: string) => void (json || process.stdout.write(`${text}\n`))
  const stopped = untilStopped()

  // The page's port comes first: server and dealer accept only its origins.
  const page: { app?: Hono<{ Bindings: HttpBindings }> } = {}
  const front = new Hono<{ Bindings: HttpBindings }>()
  front.all(
    '*',
    (c) => page.app?.fetch(c.req.raw, c.env) ?? c.text('Sotto is starting. Reload in a moment.', 503),
  )
  const listening = await listen({ app: front, host, port, tls })
  const scheme = tls ? 'https' : 'http'
  const origins = ownNames(host).map(
    (name) => `${scheme}://${name.includes(':') ? `[${name}]` : name}:${listening.port}`,
  )

  const building = !values['no-build'] && pageIsStale()
  if (building) say('Building the page …')
  const [processes] = await Promise.all([
    startProcesses({
      models,
      dealerModels: values['dealer-models'],
      host,
      serverPort: port && port + 1,
      dealerPort: port && port + 2,
      origins,
      tlsArgs,
      dealerCa: selfMade ? join(stateDir, 'self-made.crt') : undefined,
      logLevel: values['log-level'],
    }),
    building ? buildPage() : undefined,
  ])
  const { server, dealer } = processes
  const config = (visited: string) =>
    pageConfig(withHost(server.url, visited), { url: withHost(dealer.url, visited), key: dealer.key })
  page.app = pageApp({ dir: pageDir, config })

  const facts = { url: listening.url, server, dealer }
  if (json) process.stdout.write(`${JSON.stringify(facts)}\n`)
  say(`\n  Sotto is ready: ${listening.url}\n`)
  if (host === '0.0.0.0') for (const origin of origins) say(`    also ${origin}`)
  say(`  model server  ${server.url}   ${server.models.join(', ')}`)
  say(`  dealer        ${dealer.url}   key ${dealer.key}\n\n  Stop with Ctrl-C.`)

  const why = await Promise.race([stopped, processes.ended])
  const failed = why !== 'SIGINT' && why !== 'SIGTERM' && why !== 'disconnect'
  await Promise.all([processes.stop(), listening.close()])
  if (failed) throw new Error(why)
}

/** On a local network all three are visited under the same name. */
function withHost(url: string, host: string): string {
  const changed = new URL(url)
  changed.hostname = host
  return changed.href.replace(/\/$/, '')
}
