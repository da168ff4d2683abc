/** `sotto complete`: a data owner in the terminal. */

import { continuesText } from '../../model/graph/graph-of.ts'
import type { ChatOptions } from '../../owner/api.ts'
import type { Owner } from '../../owner/owner.ts'

import { numberOption, parse, required, UsageError } from '../args.ts'
import { bundleOf, type PeerChoice, peerChoice, peerHelp, peerOptions, withOwner } from '../parties.ts'

const help = `
sotto complete: answer a prompt with a private model, as a data owner in the terminal

  sotto complete --prompt "I need a hotel in Paris."
  sotto complete --prompt ... --server URL --dealer URL --dealer-key KEY

  --prompt TEXT      what the user says, or the text that a model without a chat template continues
  --model NAME       name of a model on the server, or folder of a bundle (the server's first)
  --max-tokens N     (64)
  --temperature T    (0.7; 0 always takes the likeliest token)
  --top-p P          (0.9)
  --seed N           of the sampling; never of a mask${peerHelp}
  --json             one JSON object: text, token ids, hops, bytes
  --help             this text
`

interface Job {
  prompt: string
  choice: PeerChoice
  options: ChatOptions
  json: boolean
}

export async function completeCommand(argv: string[]): Promise<void> {
  const { values } = parse(argv, help, {
    prompt: { type: 'string' },
    'max-tokens': { type: 'string', default: '64' },
    temperature: { type: 'string', default: '0.7' },
    'top-p': { type: 'string', default: '0.9' },
    seed: { type: 'string' },
    ...peerOptions,
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
    choice: peerChoice(values),
    options,
    json: values.json,
  }
  const choice = await withBundle(job.choice)
  const { notice } = choice.protection
  if (!notice.hidesTexts && !job.json) process.stderr.write(`${notice.title}: ${notice.summary}.\n`)
  await withOwner(choice, (owner) => converse({ ...job, choice }, owner))
}

/** With a bundle at hand, whatever does not fit shows before anything is started. */
async function withBundle(choice: PeerChoice): Promise<PeerChoice> {
  if (choice.peers) return choice
  const { name, dir } = await bundleOf(choice, {
    fits: ({ config }) => continuesText(config),
    lack: 'reads texts and writes none',
  })
  return { ...choice, model: name, folder: dir }
}

async function converse(job: Job, owner: Owner): Promise<void> {
  const { link, protection } = job.choice
  const model = job.choice.model ?? (await owner.models()).find(({ task }) => task !== 'classify')?.name
  if (!model) throw new UsageError('The server offers no model to chat with.')
  let first = 0
  const started = performance.now()
  const info = await owner.open({ model, link, protection: protection.id }, (event) => {
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
      protection: info.model.protection.id,
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
