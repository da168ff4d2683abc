/** `sotto complete`: a data owner in the terminal. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { loadBundle } from '../model/bundle-node.ts'
import { decodeText, encodePrompt, stopIds } from '../model/chat.ts'
import { floatModel } from '../model/reference.ts'
import { generate } from '../model/sample.ts'
import type { ChatOptions } from '../owner/api.ts'
import { Owner } from '../owner/owner.ts'
import { readCatalog } from '../server/catalog.ts'
import { linkChoices } from '../transport/connect.ts'
import { choiceOption, numberOption, parse, required, UsageError } from './args.ts'
import { keyOption } from './common.ts'
import { nodePlatform } from './platform.ts'
import { startProcesses } from './processes.ts'

const help = `
sotto complete: answer a prompt with a private model, as a data owner in the terminal

  sotto complete --prompt "I need a hotel in Paris."
  sotto complete --prompt ... --server URL --dealer URL --dealer-key KEY

  --prompt TEXT      what the user says, or the text that a model without a chat template continues
  --model NAME       name of a model on the server, or folder of a bundle (the server's first)
  --models DIR       folder of bundles for parties of our own (models)
  --max-tokens N     (64)
  --temperature T    (0.7; 0 always takes the likeliest token)
  --top-p P          (0.9)
  --seed N           of the sampling; never of a mask
  --protection NAME  fixed: private (the default); clear: the float reference, run here by
                     someone who has the whole bundle
  --link NAME        ws, webrtc or fetch (the fastest that connects)
  --server URL       a running model server, and its dealer; without them, both are started here.
  --dealer URL       Self-made certificates are trusted through NODE_EXTRA_CA_CERTS=FILE
  --dealer-key KEY   the dealer's identity key, from somebody who is not the server
  --json             one JSON object: text, token ids, hops, bytes
  --help             this text
`

interface Job {
  prompt: string
  model?: string
  models: string
  options: ChatOptions
  json: boolean
}

export async function completeCommand(argv: string[]): Promise<void> {
  const { values } = parse(argv, help, {
    prompt: { type: 'string' },
    model: { type: 'string' },
    models: { type: 'string', default: 'models' },
    'max-tokens': { type: 'string', default: '64' },
    temperature: { type: 'string', default: '0.7' },
    'top-p': { type: 'string', default: '0.9' },
    seed: { type: 'string' },
    protection: { type: 'string', default: 'fixed' },
    link: { type: 'string' },
    server: { type: 'string' },
    dealer: { type: 'string' },
    'dealer-key': { type: 'string' },
    json: { type: 'boolean', default: false },
  })
  const options: ChatOptions = {
    maxTokens: numberOption('max-tokens', values['max-tokens'], { min: 1 })!,
    temperature: numberOption('temperature', values.temperature, { integer: false, max: 100 })!,
    topP: numberOption('top-p', values['top-p'], { integer: false, min: 0.001, max: 1 })!,
    seed: numberOption('seed', values.seed, { max: 0xffffffff }),
  }
  const job: Job = {
    prompt: required('prompt', values.prompt),
    model: values.model,
    models: values.models,
    options,
    json: values.json,
  }
  const link = choiceOption('link', values.link, linkChoices)
  if (choiceOption('protection', values.protection, ['fixed', 'clear'] as const) === 'clear')
    return inClear(job)
  const given = [values.server, values.dealer, values['dealer-key']].filter(
    (value) => value !== undefined,
  ).length
  if (given !== 0 && given !== 3) throw new UsageError('--server, --dealer and --dealer-key belong together.')
  if (given === 3) {
    keyOption('dealer-key', values['dealer-key']!)
    const peers = { server: values.server!, dealer: { url: values.dealer!, key: values['dealer-key']! } }
    return privately(job, peers, link)
  }
  const keys = mkdtempSync(join(tmpdir(), 'sotto-keys-'))
  const parties = await startProcesses({
    models: folderOf(job),
    host: '127.0.0.1',
    serverPort: 0,
    dealerPort: 0,
    origins: [],
    tlsArgs: [],
    logLevel: 'error',
    keys,
  })
  try {
    await privately(
      { ...job, model: nameOf(job) },
      { server: parties.server.url, dealer: parties.dealer },
      link,
    )
  } finally {
    await parties.stop()
    rmSync(keys, { recursive: true, force: true })
  }
}

const isFolder = (model?: string): model is string =>
  model !== undefined && existsSync(join(model, 'manifest.json'))
const folderOf = ({ model, models }: Job): string => (isFolder(model) ? model : models)
const nameOf = ({ model }: Job): string | undefined => (isFolder(model) ? undefined : model)

async function privately(
  job: Job,
  peers: ConstructorParameters<typeof Owner>[0],
  link?: 'ws' | 'webrtc' | 'fetch',
): Promise<void> {
  const noWindow = { openPeer: () => Promise.reject(new Error('There is no window here.')) }
  const owner = new Owner(peers, noWindow, nodePlatform())
  const model = job.model ?? (await owner.models())[0]?.name
  if (!model) throw new UsageError('The server offers no model.')
  let first = 0
  const started = performance.now()
  const info = await owner.open({ model, link }, (event) => {
    if (event.type !== 'token') return
    first ||= performance.now()
    if (!job.json) process.stdout.write(event.text)
  })
  const opened = performance.now()
  const stop = () => void owner.stop()
  process.once('SIGINT', stop)
  try {
    const { text, ids, finish } = await owner.chat([{ role: 'user', content: job.prompt }], job.options)
    const ended = performance.now()
    const { hops, upBytes, downBytes, dealerBytes, rows } = owner.totals()
    report(job, {
      model,
      protection: 'fixed',
      text,
      ids,
      finish,
      hops,
      rows,
      ownerUpBytes: upBytes,
      ownerDownBytes: downBytes,
      dealerBytes,
      link: info.link.kind,
      setupSeconds: seconds(opened - started),
      firstTokenSeconds: seconds(first - opened),
      secondsPerToken: seconds((ended - first) / Math.max(1, ids.length - 1)),
    })
  } finally {
    process.off('SIGINT', stop)
    await owner.close()
  }
}

/** What the model would say without any protection; needs the private tensors. */
async function inClear(job: Job): Promise<void> {
  const catalog = await readCatalog(folderOf(job))
  const entry = catalog.find(({ name }) => nameOf(job) === undefined || name === nameOf(job))
  if (!entry) throw new UsageError(`There is no model ${job.model} in ${job.models}.`)
  const { manifest, tensors, tokenizer: json } = await loadBundle(entry.dir)
  const tokenizer = new Tokenizer(json, {})
  const prompt = encodePrompt(tokenizer, manifest, [{ role: 'user', content: job.prompt }])
  const started = performance.now()
  const stop = stopIds(manifest)
  const ids = [...generate(floatModel(manifest.config, tensors), prompt, { ...job.options, stop })]
  const text = decodeText(tokenizer, ids)
  if (!job.json) process.stdout.write(text)
  const finish = ids.length < job.options.maxTokens ? 'stop' : 'length'
  const secondsPerToken = seconds((performance.now() - started) / Math.max(1, ids.length))
  report(job, { model: entry.name, protection: 'clear', text, ids, finish, hops: 0, secondsPerToken })
}

const seconds = (ms: number): number => Math.round(ms) / 1000

function report(job: Job, result: Record<string, unknown>): void {
  if (job.json) {
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return
  }
  const { text: _, ids, ...rest } = result
  const lines = Object.entries(rest).map(([name, value]) => `  ${name.padEnd(18)} ${value}`)
  process.stdout.write(`\n\n  ${'ids'.padEnd(18)} ${(ids as number[]).join(' ')}\n${lines.join('\n')}\n`)
}
