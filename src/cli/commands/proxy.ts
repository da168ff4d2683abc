/** `sotto proxy`: OpenAI's API on this machine, as a data owner for programs that know nothing of Sotto. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Option } from '@commander-js/extra-typings'
import { Sotto } from '../../client/sotto.ts'
import { startProxy } from '../../proxy/start.ts'
import { isLoopback } from '../../transport/party-url.ts'
import type { ValuesOf } from '../command.ts'
import { announceReady, logLevels, makeLog, untilStopped } from '../common.ts'
import { UsageError } from '../errors.ts'
import { owningCommand, partiesChoice, withOwners } from '../parties.ts'
import { port as portNumber, repeated, text, whole } from '../values.ts'

const declared = owningCommand(
  'proxy',
  "Serve OpenAI's API on this machine; all that leaves it is secret-shared. Models are chosen by each request.",
)
  .optionsGroup('Listening:')
  .option('--host <host>', 'address of this machine to listen on', '127.0.0.1')
  .option('--port <n>', 'port to listen on; 0: any free one', portNumber, 8430)
  .option('--key-file <file>', 'file with the API key that requests must bring; one is made up if not given')
  .option('--no-key', 'let every program of this machine ask')
  .option('--origin <url>', 'origin of a page that may ask, too; repeat for more', repeated(text))
  .option('--max-requests <n>', 'requests at once, waiting ones included; 32 if not given', whole(1))
  .addOption(
    new Option(
      '--padding <how>',
      'blocks hide how long prompt and answer are, within 8 and 16 tokens; none is faster',
    ).choices(['blocks', 'none'] as const),
  )
  .addOption(
    new Option('--log-level <level>', 'what is logged, to standard error').choices(logLevels).default('warn'),
  )
  .option('--json', 'print one JSON object when ready', false)
  .addHelpText(
    'after',
    `
Examples:
  sotto proxy                            with server and dealer of its own, for trying it out
  sotto proxy --server URL --dealer URL --dealer-key KEY --key-file key.txt`,
  )

export const proxyCommand = declared.action(proxy)

async function proxy(values: ValuesOf<typeof declared>): Promise<void> {
  const { host, port, origin: origins = [], padding, json, link } = values
  if (!isLoopback(host))
    throw new UsageError(
      `${host} can be reached from elsewhere, and texts go to the proxy in the clear.`,
      'Leave out --host; other machines run a proxy of their own.',
    )
  if (origins.includes('*'))
    throw new UsageError('--origin * would let every page of the web ask.', 'Name the page.')
  const key = keyOf(values)
  const choice = partiesChoice(values)
  const stopped = untilStopped()
  await withOwners(choice, async (config, makeOwner) => {
    const sotto = new Sotto({ ...config, link, protection: choice.protection.id, padding, makeOwner })
    const running = await startProxy({
      ...{ sotto, host, port, key, origins },
      most: values.maxRequests,
      log: makeLog(values.logLevel),
    })
    try {
      const { data } = await sotto.models.list()
      const models = data.map(({ id }) => id)
      const facts = { url: running.url, key, models }
      const shown = key === undefined ? 'none is asked for' : values.keyFile ? `in ${values.keyFile}` : key
      announceReady(
        json,
        facts,
        `Base URL  ${running.url}\nAPI key   ${shown}\nModels    ${models.join(', ')}\n\nStop with Ctrl-C.`,
      )
      await stopped
    } finally {
      await running.close()
    }
  })
}

/** Made up, read from a file, or none. A key among the arguments could be read by every program of this machine. */
function keyOf({ key, keyFile }: { key: boolean; keyFile?: string }): string | undefined {
  if (!key && keyFile !== undefined) throw new UsageError('--key-file and --no-key contradict each other.')
  if (!key) return undefined
  if (keyFile === undefined) return `sk-sotto-${randomBytes(24).toString('base64url')}`
  const read = readFileSync(keyFile, 'utf8').trim()
  if (!/^\S{16,512}$/.test(read))
    throw new UsageError(
      `${keyFile} holds no key.`,
      'Write one of at least 16 characters into it, without spaces.',
    )
  return read
}
