/**
 * For logs: what went wrong and where, without anything that travelled. Only our own errors are known not to quote data, and
 * of those only the ones that no other party worded.
 */
import { LinkError } from '../transport/errors.ts'
import { SessionError } from './errors.ts'

/** Code and message of our own errors; of others the name, the code and the line, and never the message. */
export function describe(error: unknown): string {
  if (error instanceof SessionError || error instanceof LinkError) {
    // The reason for a close is passed on from party to party: it may be anybody's.
    const isOurs = !error.isQuoted && error.code !== 'closed'
    return isOurs ? `${error.code}: ${error.message}` : error.code
  }
  if (!(error instanceof Error)) return 'unknown'
  const { code } = error as { code?: unknown }
  const place = error.stack?.split('\n').find((line) => /^\s+at .*:\d+:\d+\)?$/.test(line))
  return [error.name, typeof code === 'string' ? code : '', place?.trim() ?? ''].filter(Boolean).join(' ')
}
