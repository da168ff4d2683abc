/** `sotto model <subcommand>`: what a model's developer does with a model before it is served. */
import { nearest, UsageError } from '../args.ts'

interface Subcommand {
  /** For the help text. */
  about: string
  /** Loaded on demand: some bring large runtimes. */
  load: () => Promise<(argv: string[]) => Promise<void>>
}

const subcommands: Record<string, Subcommand> = {
  import: {
    about: "make a bundle of a folder in Hugging Face's format, or of a model on its hub",
    load: async () => (await import('./import.ts')).importCommand,
  },
  inspect: {
    about: 'what a folder or bundle holds, and whether it can be served privately',
    load: async () => (await import('./inspect.ts')).inspectCommand,
  },
  pretrain: {
    about: 'train a small encoder from scratch, as a public base to fine-tune',
    load: async () => (await import('./pretrain.ts')).pretrainCommand,
  },
  finetune: {
    about: 'fine-tune a model on your data, with or without differential privacy',
    load: async () => (await import('./finetune.ts')).finetuneCommand,
  },
  audit: {
    about: 'what fine-tuned models give away about their training data',
    load: async () => (await import('./audit.ts')).auditCommand,
  },
  calibrate: {
    about: 'measure the ranges of a bundle on text',
    load: async () => (await import('./calibrate.ts')).calibrateCommand,
  },
  split: {
    about: 'cut the private weights in pieces for server and dealer',
    load: async () => (await import('./split.ts')).splitCommand,
  },
}

function help(): string {
  const width = Math.max(...Object.keys(subcommands).map((name) => name.length)) + 3
  const lines = Object.entries(subcommands).map(
    ([name, { about }]) => `  sotto model ${name.padEnd(width)}${about}`,
  )
  return `sotto model: bring a model of your own\n\n${lines.join('\n')}\n\n  sotto model <subcommand> --help\n`
}

export async function modelCommand([name, ...rest]: string[]): Promise<void> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(help())
    if (name === undefined) throw new UsageError('Which subcommand? See above.')
    return
  }
  if (!Object.hasOwn(subcommands, name)) {
    const near = nearest(name, Object.keys(subcommands))
    throw new UsageError(
      `There is no command "model ${name}". ${near ? `Did you mean "model ${near}"?` : 'See sotto model --help.'}`,
    )
  }
  await (await subcommands[name].load())(rest)
}
