/** A command line, from its words to its exit code. */

import { Exit, UsageError } from './errors.ts'
import { programFor } from './program.ts'
import { say } from './terminal.ts'

/** Runs `sotto ...words`; resolves with the exit code, once standard error has said why it is not 0. */
export async function run(words: string[]): Promise<number> {
  try {
    await (await programFor(words)).parseAsync(words, { from: 'user' })
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
  say(`sotto: ${message}${advice ? `\n${advice}` : ''}`)
  if (process.env.SOTTO_DEBUG && error instanceof Error) say(String(error.stack))
  return error instanceof UsageError ? 2 : 1
}
