/** `sotto deal`: the dealer. */

import { join } from 'node:path'
import { toBase64Url } from '../../handshake/encoding.ts'
import { loadIdentity } from '../../handshake/node/key-file.ts'
import { startDealer } from '../../protections/shared/dealer/start.ts'
import type { ValuesOf } from '../command.ts'
import { announceReady, listeningCommand, makeLog, stateDir, tlsOption, untilStopped } from '../common.ts'
import { dealerEngines, usualWorkers } from '../dealer-engine.ts'
import { dealerLimits } from '../dealer-limits.ts'
import { UsageError } from '../errors.ts'
import { announceProducts } from '../products.ts'
import { printResult } from '../terminal.ts'
import { identityKey, port, repeated, whole } from '../values.ts'

const declared = listeningCommand(
  'deal',
  'Run the dealer, the helper that deals masks and never sees an online message.',
)
  .option('--port <n>', 'port', port, 8422)
  .option('--key <file>', 'identity key, made on the first run', join(stateDir, 'dealer.pem'))
  .option(
    '--allow <key>',
    'identity key of a model server that may connect; repeat for more',
    repeated(identityKey),
  )
  .option('--allow-any', 'let every model server connect', false)
  .option('--models <dir>', "the dealer's split bundles (sotto model split)")
  .option(
    '--opens-per-minute <n>',
    'sessions that one address may open within a minute; 60 if not given',
    whole(1),
  )
  .option(
    '--rows-per-hour <n>',
    'hidden states (with a private head, rows of logits) that one address is shown: a decoder’s pass shows one, which is one token of a reply; an encoder’s may show one for each token of its text. No limit if not given',
    whole(1),
  )
  .option(
    '--megabytes-per-hour <n>',
    'what is dealt for one address, by the declared cost of its passes. No limit if not given',
    whole(1),
  )
  .option(
    '--material-megabytes <n>',
    'what is dealt and not used yet, of all sessions; 1,024 if not given',
    whole(1),
  )
  .option('--material-megabytes-per-address <n>', 'of it for one address; 256 if not given', whole(1))
  .option('--material-megabytes-per-session <n>', 'of it for one session; 48 if not given', whole(1, 1024))
  .option('--queued-deals <n>', 'passes that may wait to be dealt; 1,024 if not given', whole(1))
  .option('--queued-deals-per-address <n>', 'of them for one address; 256 if not given', whole(1))
  .option('--drain <s>', 'when stopped, how long replies that are being written may take', whole(0), 60)
  .option(
    '--workers <n>',
    'threads that deal, each with every model in its memory; 0 for none but the main one',
    whole(0, 64),
    usualWorkers(),
  )
  .option('--print-key', 'print the identity key, which sotto model split needs, and stop', false)
  .addHelpText(
    'after',
    `
Whoever runs it must be independent of the model server: together they could read what people type.

Examples:
  sotto deal --allow SERVER-KEY --origin https://chat.example`,
  )

export const dealCommand = declared.action(deal)

async function deal(values: ValuesOf<typeof declared>): Promise<void> {
  if (!values.allow?.length && !values.allowAny && !values.printKey) {
    throw new UsageError(
      'Which model servers may connect? Give --allow KEY (sotto serve prints it), or --allow-any.',
    )
  }
  const identity = loadIdentity(values.key)
  const key = toBase64Url(identity.publicKey)
  if (values.printKey) {
    printResult(values.json, { role: 'dealer', key }, `${key}\n`)
    return
  }
  const log = makeLog(values.logLevel)
  const products = await announceProducts(log)
  const engines = await dealerEngines({
    splitBundles: values.models,
    opener: identity,
    workers: values.workers,
  })
  const running = await startDealer({
    identity,
    allow: values.allowAny ? undefined : values.allow,
    makeEngine: engines.makeEngine,
    log,
    host: values.host,
    port: values.port,
    origins: values.origin ?? [],
    names: values.name ?? [],
    tls: await tlsOption(values),
    trustProxy: values.trustProxy,
    ...dealerLimits(values),
  })
  const text = `The dealer listens at ${running.url}\nIts identity key, for --dealer-key and for pages: ${key}`
  announceReady(values.json, { role: 'dealer', url: running.url, key, pid: process.pid, ...products }, text)
  const drain = await untilStopped()
  if (drain !== 'disconnect') await running.dealer.drain(1000 * values.drain)
  await running.close()
  await engines.close()
}
