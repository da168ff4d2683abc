/** `sotto deal`: the dealer. */
import { join } from 'node:path'
import { toBase64Url } from '../../handshake/encoding.ts'
import { loadIdentity } from '../../handshake/node/key-file.ts'
import { startDealer } from '../../protections/shared/dealer/start.ts'
import { numberOption, parse, portOption, UsageError } from '../args.ts'
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
import { dealerEngine } from '../dealer-engine.ts'

const help = `
sotto deal: run the dealer, the helper that deals masks and never sees an online message

Whoever runs it must be independent of the model server: together they could read what people type.

  sotto deal --allow SERVER-KEY --origin https://chat.example

  --port N           port (8422)
  --key FILE         identity key, made on the first run (${stateDir}/dealer.pem)
  --allow KEY        identity key of a model server that may connect; repeat for more
  --allow-any        let every model server connect
  --models DIR       the dealer's split bundles (sotto model split)
  --passes-per-hour N  of one address; each pass shows a user one hidden state (no limit)
  --print-key        print the identity key, which sotto model split needs, and stop${listenHelp}
`

export async function dealCommand(argv: string[]): Promise<void> {
  const { values } = parse(argv, help, {
    ...listenOptions,
    allow: { type: 'string', multiple: true },
    'allow-any': { type: 'boolean', default: false },
    models: { type: 'string' },
    'passes-per-hour': { type: 'string' },
    'print-key': { type: 'boolean', default: false },
  })
  if (!values.allow?.length && !values['allow-any'] && !values['print-key']) {
    throw new UsageError(
      'Which model servers may connect? Give --allow KEY (sotto serve prints it), or --allow-any.',
    )
  }
  for (const key of values.allow ?? []) keyOption('allow', key)
  const identity = loadIdentity(values.key ?? join(stateDir, 'dealer.pem'))
  const key = toBase64Url(identity.publicKey)
  if (values['print-key']) {
    process.stdout.write(values.json ? `${JSON.stringify({ role: 'dealer', key })}\n` : `${key}\n`)
    return
  }
  const sessions = numberOption('max-sessions', values['max-sessions'], { min: 1 })
  const passesPerHour = numberOption('passes-per-hour', values['passes-per-hour'], { min: 1 })
  const log = makeLog(values['log-level'])
  const port = portOption(values.port, 8422)
  const running = await startDealer({
    identity,
    allow: values['allow-any'] ? undefined : values.allow,
    makeEngine: await dealerEngine(values.models, identity),
    log,
    host: values.host,
    port,
    origins: values.origin ?? [],
    tls: tlsOption(values),
    trustProxy: values['trust-proxy'],
    admission: { ...(sessions && { sessions }), ...(passesPerHour && { passesPerHour }) },
  })
  const text = `The dealer listens at ${running.url}\nIts identity key, for --dealer-key and for pages: ${key}`
  announceReady(values.json, { role: 'dealer', url: running.url, key, pid: process.pid }, text)
  await untilStopped()
  await running.close()
}
