/** The command line: `sotto <command> [options]`. */
import { readFileSync } from 'node:fs'
import { Exit, nearest, UsageError } from './args.ts'

const help = `
sotto: private chat with a model that neither gives itself away nor reads what you type

  sotto demo        page, model server and dealer on this machine; prints the address to open
  sotto serve       the model server
  sotto deal        the dealer
  sotto complete    complete a prompt privately, in the terminal
  sotto classify    label the texts of a file privately, in the terminal
  sotto model       bring a model of your own
  sotto train       train a small chat model
  sotto evaluate    measure a model
  sotto bench       measure the engine
  sotto attack      measure what a modified user learns of private weights

  sotto <command> --help      what a command takes
  sotto --version
`

/** Loaded on demand: some bring large runtimes. */
const commands: Record<string, () => Promise<(argv: string[]) => Promise<void>>> = {
  demo: async () => (await import('./commands/demo.ts')).demoCommand,
  serve: async () => (await import('./commands/serve.ts')).serveCommand,
  deal: async () => (await import('./commands/deal.ts')).dealCommand,
  complete: async () => (await import('./commands/complete.ts')).completeCommand,
  classify: async () => (await import('./commands/classify.ts')).classifyCommand,
  model: async () => (await import('./commands/model.ts')).modelCommand,
  train: async () => (await import('./commands/train.ts')).trainCommand,
  evaluate: async () => (await import('./commands/evaluate.ts')).evaluateCommand,
  bench: async () => (await import('./commands/bench.ts')).benchCommand,
  attack: async () => (await import('./commands/attack.ts')).attackCommand,
}

async function main([name, ...rest]: string[]): Promise<number> {
  try {
    if (name === '--version' || name === '-v') {
      const { version } = JSON.parse(
        readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
      ) as {
        version: string
      }
      process.stdout.write(`${version}\n`)
      return 0
    }
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      process.stdout.write(`${help.trim()}\n`)
      return name === undefined ? 2 : 0
    }
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (!load) {
      const near = nearest(name, Object.keys(commands))
      throw new UsageError(
        `There is no command "${name}". ${near ? `Did you mean "${near}"?` : 'See sotto --help.'}`,
      )
    }
    await (await load())(rest)
    return 0
  } catch (error) {
    return report(error)
  }
}

/** 2: the command line is wrong; 1: anything else. Known errors show their advice, unknown ones their origin on request. */
function report(error: unknown): number {
  if (error instanceof Exit) return error.code
  const { message, advice } =
    error instanceof Error ? (error as Error & { advice?: string }) : { message: String(error) }
  process.stderr.write(`sotto: ${message}\n${advice ? `${advice}\n` : ''}`)
  if (process.env.SOTTO_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  const isUsage =
    error instanceof UsageError || (error as { code?: string })?.code?.startsWith('ERR_PARSE_ARGS')
  return isUsage ? 2 : 1
}

process.exitCode = await main(process.argv.slice(2))
// Listening for the parent's end would keep a command that is over alive.
if (process.connected) process.disconnect()
