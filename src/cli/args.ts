/** Command lines: strict parsing, errors that say what to type instead, numbers with bounds. */
import { type ParseArgsConfig, parseArgs } from 'node:util'

/** The command line is wrong; the message is for the person who typed it. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Ends a command early with a given exit code, after it has said why. */
export class Exit extends Error {
  readonly code: number

  constructor(code: number) {
    super(`exit ${code}`)
    this.code = code
  }
}

type Options = NonNullable<ParseArgsConfig['options']>
type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ options: T; allowPositionals: true; strict: true }>
>

/** Parses strictly; `--help` prints `help` and exits. Positionals beyond `positionals` are errors. */
export function parse<const T extends Options>(
  argv: readonly string[],
  help: string,
  options: T,
  positionals = 0,
): Parsed<T> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(`${help.trim()}\n`)
    throw new Exit(0)
  }
  let parsed: Parsed<T>
  try {
    parsed = parseArgs({ args: joinDashed(argv, options), options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError(explain(error as Error, Object.keys(options)))
  }
  if (parsed.positionals.length > positionals) {
    throw new UsageError(`Unexpected argument "${parsed.positionals[positionals]}". See --help.`)
  }
  return parsed
}

/** Values may begin with a dash, as one in 64 identity keys does, unless they look like one of our own options. */
function joinDashed(argv: readonly string[], options: Options): string[] {
  const out: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const next = argv[i + 1]
    const takesText = argv[i].startsWith('--') && options[argv[i].slice(2)]?.type === 'string'
    const isValue = next?.startsWith('-') && !Object.hasOwn(options, next.replace(/^--/, '').split('=')[0])
    if (takesText && isValue) out.push(`${argv[i]}=${argv[++i]}`)
    else out.push(argv[i])
  }
  return out
}

function explain(error: Error, known: string[]): string {
  const unknown = /Unknown option '--?([^']+)'/.exec(error.message)?.[1]
  if (!unknown) return `${error.message.split(/\. To specify|\n/)[0]} See --help.`
  const near = nearest(unknown, known)
  return `Unknown option --${unknown}. ${near ? `Did you mean --${near}?` : 'See --help.'}`
}

/** The candidate that differs least, if it is close. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .sort((a, b) => a.distance - b.distance)
  return ranked[0] && ranked[0].distance <= Math.max(2, word.length / 3) ? ranked[0].candidate : undefined
}

/** Levenshtein distance. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]
}

/** Reads a number option; `undefined` stays so. */
export function numberOption(
  name: string,
  text: string | undefined,
  { min = 0, max = Number.MAX_SAFE_INTEGER, integer = true } = {},
): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (
    text.trim() === '' ||
    !Number.isFinite(value) ||
    (integer && !Number.isInteger(value)) ||
    value < min ||
    value > max
  ) {
    throw new UsageError(
      `--${name} must be ${integer ? 'a whole number' : 'a number'} from ${min} to ${max}, not "${text}".`,
    )
  }
  return value
}

export const portOption = (text: string | undefined, fallback: number): number =>
  numberOption('port', text, { max: 65_535 }) ?? fallback

export function required(name: string, value: string | undefined): string {
  if (value === undefined) throw new UsageError(`--${name} is missing. See --help.`)
  return value
}

/** One of a few words. */
export function choiceOption<T extends string>(
  name: string,
  value: string | undefined,
  choices: readonly T[],
): T | undefined {
  if (value === undefined) return undefined
  if (!(choices as readonly string[]).includes(value)) {
    throw new UsageError(`--${name} must be one of ${choices.join(', ')}, not "${value}".`)
  }
  return value as T
}
