/** `sotto complete`: a data owner in the terminal. */

import { Option } from '@commander-js/extra-typings'
import { continuesText } from '../../model/graph/graph-of.ts'
import type { ChatOptions } from '../../owner/chat-options.ts'
import type { Owner } from '../../owner/owner.ts'
import type { ValuesOf } from '../command.ts'
import { UsageError } from '../errors.ts'
import { bundleOf, owningCommand, type PartiesChoice, partiesChoice, withOwner } from '../parties.ts'
import { print, printJson, say } from '../terminal.ts'
import { real, whole } from '../values.ts'

const declared = owningCommand(
  'complete',
  'Answer a prompt with a private model, as a data owner in the terminal.',
)
  .requiredOption(
    '--prompt <text>',
    'what the user says, or the text that a model without a chat template continues',
  )
  .option('--max-tokens <n>', 'the longest answer', whole(1), 64)
  .option('--temperature <t>', '0 always takes the likeliest token', real(0, 100), 0.7)
  .option('--top-p <p>', 'probability of the tokens to choose from', real(0.001, 1), 0.9)
  .option('--seed <n>', 'of the sampling; never of a mask', whole(0, 0xffffffff))
  .addOption(
    new Option(
      '--padding <how>',
      'blocks hide how long prompt and answer are, within 8 and 16 tokens; none is faster',
    ).choices(['blocks', 'none'] as const),
  )
  .option('--json', 'print one JSON object: text, token ids, hops, bytes', false)
  .addHelpText(
    'after',
    `
Examples:
  sotto complete --prompt "I need a hotel in Paris."
  sotto complete --prompt ... --server URL --dealer URL --dealer-key KEY
  sotto complete --prompt ... --veiled CLOUD --keys KEYS`,
  )

export const completeCommand = declared.action(complete)

interface Job {
  prompt: string
  choice: PartiesChoice
  options: ChatOptions
  json: boolean
}

async function complete(values: ValuesOf<typeof declared>): Promise<void> {
  const { prompt, maxTokens, temperature, topP, seed, padding, json } = values
  const job: Job = {
    prompt,
    choice: partiesChoice(values),
    options: { maxTokens, temperature, topP, seed, padding },
    json,
  }
  const choice = await withBundle(job.choice)
  const { notice } = choice.protection
  if (!notice.hidesTexts && !job.json) say(`${notice.title}: ${notice.summary}.`)
  await withOwner(choice, (owner) => converse({ ...job, choice }, owner))
}

/** With a bundle at hand, whatever does not fit shows before anything is started. */
async function withBundle(choice: PartiesChoice): Promise<PartiesChoice> {
  if (choice.running || choice.veiled) return choice
  const { name, dir } = await bundleOf(choice, {
    fits: ({ config }) => continuesText(config),
    lack: 'reads texts and writes none',
  })
  return { ...choice, model: name, folder: dir }
}

async function converse(job: Job, owner: Owner): Promise<void> {
  const { link, protection } = job.choice
  const model =
    job.choice.model ?? (await owner.models()).find(({ task }) => task === undefined || task === 'chat')?.name
  if (!model) throw new UsageError('The server offers no model to chat with.')
  let first = 0
  const started = performance.now()
  const info = await owner.open({ model, link, protection: protection.id }, (event) => {
    if (event.type !== 'token') return
    first ||= performance.now()
    if (!job.json) print(event.text)
  })
  const opened = performance.now()
  const stop = () => void owner.stop()
  process.once('SIGINT', stop)
  try {
    const { text, ids, finish, padded, isCut, exposed } = await owner.chat(
      [{ role: 'user', content: job.prompt }],
      job.options,
    )
    const ended = performance.now()
    const { hops, upBytes, downBytes, dealerBytes, rows, audits } = owner.totals()
    report(job, {
      model,
      protection: info.model.protection.id,
      text,
      ids,
      finish,
      padded,
      isCut,
      ...(exposed === undefined ? {} : { exposed }),
      hops,
      rows,
      ownerUpBytes: upBytes,
      ownerDownBytes: downBytes,
      dealerBytes,
      ...(audits && {
        auditedPasses: audits.audited,
        passes: audits.passes,
        auditDealtBytes: audits.dealtBytes,
      }),
      link: info.link.kind,
      ...(info.enclave && { attested: info.enclave.isAttested }),
      setupSeconds: seconds(opened - started),
      // A reply may end before its first token.
      ...(first > 0 ? { firstTokenSeconds: seconds(first - opened) } : {}),
      secondsPerToken: seconds((ended - (first || opened)) / Math.max(1, ids.length - 1 + padded)),
    })
  } finally {
    process.off('SIGINT', stop)
    await owner.close()
  }
}

const seconds = (ms: number): number => Math.round(ms) / 1000

function report(job: Job, result: Record<string, unknown>): void {
  if (job.json) {
    printJson(result)
    return
  }
  const { text: _, ids, ...rest } = result
  const lines = Object.entries(rest).map(([name, value]) => `  ${name.padEnd(18)} ${value}`)
  print(`\n\n  ${'ids'.padEnd(18)} ${(ids as number[]).join(' ')}\n${lines.join('\n')}\n`)
}
