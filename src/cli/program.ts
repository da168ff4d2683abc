/** The program's commands by name, each loaded only when it is called: some bring large runtimes. */
import { readFileSync } from 'node:fs'
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { command } from './command.ts'

export interface Entry {
  /** For the list of commands. */
  summary: string
  load: () => Promise<CommandUnknownOpts>
}

/** What a model's developer does with a model before it is served. */
const modelCommands: Record<string, Entry> = {
  import: {
    summary: "make a bundle of a folder in Hugging Face's format, or of a model on its hub",
    load: async () => (await import('./commands/import.ts')).importCommand,
  },
  inspect: {
    summary: 'what a folder or bundle holds, and whether it can be served privately',
    load: async () => (await import('./commands/inspect.ts')).inspectCommand,
  },
  pretrain: {
    summary: 'train a small encoder from scratch, as a public base to fine-tune',
    load: async () => (await import('./commands/pretrain.ts')).pretrainCommand,
  },
  finetune: {
    summary: 'fine-tune a model on your data, with or without differential privacy',
    load: async () => (await import('./commands/finetune.ts')).finetuneCommand,
  },
  lowbit: {
    summary: 'train a model of few bits that stands in for another one',
    load: async () => (await import('./commands/lowbit.ts')).lowbitCommand,
  },
  pictures: {
    summary: 'train a small model of pictures: labels, or answers to questions',
    load: async () => (await import('./commands/pictures.ts')).picturesCommand,
  },
  audit: {
    summary: 'what fine-tuned models give away about their training data',
    load: async () => (await import('./commands/audit.ts')).auditCommand,
  },
  calibrate: {
    summary: 'measure the ranges of a bundle on text',
    load: async () => (await import('./commands/calibrate.ts')).calibrateCommand,
  },
  split: {
    summary: 'cut the private weights in pieces for server and dealer',
    load: async () => (await import('./commands/split.ts')).splitCommand,
  },
  veil: {
    summary: 'disguise a model for a cloud that runs an ordinary engine',
    load: async () => (await import('./commands/veil.ts')).veilCommand,
  },
}

/** What an owner does before they trust an enclave. */
const attestCommands: Record<string, Entry> = {
  verify: {
    summary: 'hold evidence of an enclave against a policy',
    load: async () => (await import('./commands/attest-verify.ts')).attestVerifyCommand,
  },
  simulate: {
    summary: 'make evidence of a simulated enclave, to try things out',
    load: async () => (await import('./commands/attest-simulate.ts')).attestSimulateCommand,
  },
}

export const commands: Record<string, Entry> = {
  demo: {
    summary: 'page, model server and dealer on this machine; prints the address to open',
    load: async () => (await import('./commands/demo.ts')).demoCommand,
  },
  serve: {
    summary: 'the model server',
    load: async () => (await import('./commands/serve.ts')).serveCommand,
  },
  deal: {
    summary: 'the dealer',
    load: async () => (await import('./commands/deal.ts')).dealCommand,
  },
  complete: {
    summary: 'complete a prompt privately, in the terminal',
    load: async () => (await import('./commands/complete.ts')).completeCommand,
  },
  classify: {
    summary: 'label the texts of a file privately, in the terminal',
    load: async () => (await import('./commands/classify.ts')).classifyCommand,
  },
  embed: {
    summary: 'vectors of texts, privately, in the terminal',
    load: async () => (await import('./commands/embed.ts')).embedCommand,
  },
  proxy: {
    summary: "OpenAI's API on this machine, for programs that know nothing of this one",
    load: async () => (await import('./commands/proxy.ts')).proxyCommand,
  },
  train: {
    summary: 'train a small chat model',
    load: async () => (await import('./commands/train.ts')).trainCommand,
  },
  evaluate: {
    summary: 'measure a model',
    load: async () => (await import('./commands/evaluate.ts')).evaluateCommand,
  },
  bench: {
    summary: 'measure the engine',
    load: async () => (await import('../../bench/command.ts')).benchCommand,
  },
  attack: {
    summary: 'measure what a modified user learns of private weights',
    load: async () => (await import('./commands/attack.ts')).attackCommand,
  },
}

/** The whole program, with those commands loaded that `words` name; the others are names and summaries. */
export async function programFor(words: readonly string[]): Promise<CommandUnknownOpts> {
  const program = command(
    'sotto',
    'Private chat with a model that neither gives itself away nor reads what you type.',
  ).version(version(), '-v, --version', 'print the version')
  // `sotto help serve` asks for a command, too.
  const named = words.filter((word) => word !== 'help')
  await addAll(program, commands, named[0])
  for (const [name, { summary, entries }] of Object.entries(groups)) {
    const group = command(name, `${summary[0].toUpperCase()}${summary.slice(1)}.`).summary(summary)
    await addAll(group, entries, named[0] === name ? named[1] : undefined)
    program.addCommand(group)
  }
  return program
}

/** Commands that have commands of their own. */
export const groups: Record<string, { summary: string; entries: Record<string, Entry> }> = {
  model: { summary: 'bring a model of your own', entries: modelCommands },
  attest: { summary: 'check what an enclave shows for itself', entries: attestCommands },
}

async function addAll(
  parent: CommandUnknownOpts,
  entries: Record<string, Entry>,
  wanted: string | undefined,
): Promise<void> {
  for (const [name, { summary, load }] of Object.entries(entries))
    parent.addCommand((name === wanted ? await load() : command(name, summary)).summary(summary))
}

function version(): string {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(file) as { version: string }).version
}
