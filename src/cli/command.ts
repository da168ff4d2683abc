/** Commands as `commander` has them, with the habits of ours: typed errors instead of exits, and values that begin with a dash. */
import {
  Command,
  CommanderError,
  type CommandUnknownOpts,
  Help,
  type Option,
  type ParseOptionsResult,
} from '@commander-js/extra-typings'
import { Exit, UsageError } from './errors.ts'

/**
 * A command that throws {@link UsageError} where its command line is wrong, and {@link Exit} after printing help.
 * @param name as it is typed, without the commands before it.
 * @param description what its own help begins with.
 */
export function command(name: string, description: string) {
  return new StrictCommand(name).description(description)
}

/** What a command's options hold once they are parsed. */
export type ValuesOf<C extends { opts(): object }> = ReturnType<C['opts']>

class StrictCommand extends Command {
  /** Ends with an error that names the nearest option; its types leave it out. */
  declare readonly unknownOption: (flag: string) => void

  constructor(name: string) {
    super(name)
    this.configureOutput({ outputError: () => undefined })
    this.configureHelp({ groupItems, optionDescription })
    this.enablePositionalOptions()
    this.exitOverride((error) => {
      throw this.#ended(error)
    })
  }

  /** One in 64 identity keys begins with a dash, so any word may be a value, unless it is one of our own options. */
  override parseOptions(argv: string[]): ParseOptionsResult {
    argv.forEach((word, at) => {
      const option = this.options.find((one) => one.required && one.long === word)
      if (!option || !this.#isOwn(argv[at + 1])) return
      const message = `option '${option.flags}' argument missing`
      throw this.#ended(new CommanderError(1, 'commander.optionMissingArgument', message))
    })
    const parsed = super.parseOptions(argv)
    const [unknown] = parsed.unknown
    const asksForHelp = parsed.unknown.some(isHelp)
    // A mistyped option comes before the required one that it was meant to be.
    if (unknown && this.commands.length === 0 && !asksForHelp) this.unknownOption(unknown)
    return parsed
  }

  #isOwn(word = ''): boolean {
    const [flag] = word.split('=')
    return isHelp(word) || this.options.some(({ long, short }) => flag === long || flag === short)
  }

  #ended({ exitCode, code, message }: CommanderError): Error {
    if (exitCode === 0) return new Exit(0)
    // Help in place of a command that is missing has been printed.
    if (code === 'commander.help') return new Exit(2)
    return new UsageError(message.replace(/^error: /, ''), `See ${pathOf(this)} --help.`)
  }
}

const isHelp = (word: string): boolean => word === '--help' || word === '-h'

/** As it is typed, from the program's name on. */
function pathOf(last: CommandUnknownOpts): string {
  const names: string[] = []
  for (let each: CommandUnknownOpts | null = last; each; each = each.parent) names.unshift(each.name())
  return names[0] === 'sotto' ? names.join(' ') : `sotto ${names.join(' ')}`
}

/** What an option is not by default goes without saying where it is a switch. */
function optionDescription(this: Help, option: Option): string {
  return option.defaultValue === false ? option.description : Help.prototype.optionDescription(option)
}

/** A command's own options first, then the groups that it shares with others. */
function groupItems<T>(_: T[], items: T[], groupOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>([['Options:', []]])
  for (const item of items) groups.set(groupOf(item), [...(groups.get(groupOf(item)) ?? []), item])
  for (const [name, members] of groups) if (members.length === 0) groups.delete(name)
  return groups
}
