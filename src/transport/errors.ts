/** Everything that can go wrong between two ends of a link. */
import { plainLine } from './plain-text.ts'

const advice = {
  closed: 'The other side ended the connection. Start a new conversation turn to reconnect.',
  restarting: 'The other side is being replaced. Try again in a moment.',
  lost: 'Check the network connection, then try again.',
  timeout: 'The other side is slow or unreachable. Try again.',
  corrupt:
    'Bytes were altered on the way. A proxy may be rewriting traffic: try another link, such as ?link=fetch.',
  truncated: 'A message was cut short on the way. Try again, or try another link, such as ?link=fetch.',
  gap: 'Messages were lost or reordered on the way. Try again, or try another link, such as ?link=fetch.',
  malformed:
    'The other side does not speak this protocol. Check its address and that both run the same release.',
  oversized: 'A message is larger than the agreed limit. Use a shorter prompt.',
  overflow: 'Messages are produced faster than they are sent. Await each send.',
  version: 'The two sides run different releases. Reload the page, or update the older side.',
  'unknown-link': 'The other side has forgotten this connection, probably because it restarted. Reconnect.',
  refused: 'The other side does not accept more connections now. Try again in a minute.',
  unsupported: 'This link does not work here. Leave out ?link= to choose one automatically.',
} as const

/** What went wrong on a link, for programs; each stands with its advice. */
export type LinkErrorCode = keyof typeof advice

/** How a link may be closed on purpose: for good, or by a process that another one follows. */
export type LinkEnd = Extract<LinkErrorCode, 'closed' | 'restarting'>

/** `message` says what happened, `advice` what a person can do about it, `code` is for programs. */
export class LinkError extends Error {
  override readonly name = 'LinkError'
  readonly code: LinkErrorCode
  readonly advice: string
  /** Whether `message` is in the other side's words, which do not belong into a log. */
  readonly isQuoted: boolean = false

  /** What the other side said, made plain. */
  static quote(code: LinkErrorCode, message: string): LinkError {
    return Object.assign(new LinkError(code, plainLine(message)), { isQuoted: true })
  }

  constructor(code: LinkErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.advice = advice[code]
  }
}

/** Whether a peer sent a code that is one of ours. */
export const isLinkErrorCode = (code: unknown): code is LinkErrorCode =>
  typeof code === 'string' && Object.hasOwn(advice, code)

/** Turns whatever was thrown into a `LinkError`, keeping one that already is. */
export function toLinkError(error: unknown, code: LinkErrorCode = 'lost'): LinkError {
  if (error instanceof LinkError) return error
  return new LinkError(code, error instanceof Error ? error.message : String(error), { cause: error })
}

/** Damage that a new connection, or the same POST once more, can cure. */
export const isDamage = (error: LinkError): boolean =>
  error.code === 'corrupt' || error.code === 'truncated' || error.code === 'gap'

/** Failures of the network itself, after which trying again makes sense. */
export const isTransient = (error: LinkError): boolean =>
  error.code === 'lost' || error.code === 'timeout' || isDamage(error)
