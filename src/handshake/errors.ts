/** Everything that can go wrong while parties agree on a session or keep it. Messages never contain secrets. */
import { LinkError } from '../transport/errors.ts'
import { plainLine } from '../transport/plain-text.ts'

const codes = {
  'wrong-dealer-key': [
    403,
    'The dealer is not the one this page trusts. Do not type anything; tell who runs the page.',
  ],
  'wrong-server-key': [403, 'The model server is not the one it says it is. Check its address.'],
  unauthorised: [403, 'Add the server’s key to the dealer’s allow-list.'],
  'foreign-page': [403, 'Open the page at its own address, or name its origin to the server: --origin.'],
  'wrong-host': [421, 'Check the address, or tell the server that it is visited under it: --name.'],
  'unknown-model': [404, 'Choose another model, or check that the model server and the dealer both run.'],
  'plan-mismatch': [409, 'The model has changed. Reload the page.'],
  'pass-mismatch': [409, 'The page said different things to the model server and the dealer. Reload it.'],
  'audit-failed': [
    502,
    'Do not go on with this dealer; tell who runs the page, the model server and the dealer.',
  ],
  'version-mismatch': [409, 'The parties run different releases. Reload the page, or update the older one.'],
  expired: [410, 'The session is over. Open a new one.'],
  replayed: [409, 'The session was already used. Open a new one.'],
  'bad-seal': [403, 'Split the model again, for the identity keys of this server and this dealer.'],
  'split-bundle-missing': [404, 'The dealer needs its split bundle of the model: sotto deal --models DIR.'],
  'bad-mac': [403, 'The request was altered on the way. Open a new session.'],
  malformed: [400, 'The other side does not speak this protocol. Check addresses and releases.'],
  oversized: [413, 'Use a shorter prompt.'],
  'model-too-large': [413, 'Import it with fewer private tensors (--private), or take a smaller model.'],
  'too-many-sessions': [503, 'All places are taken. Close another tab, or try again in a minute.'],
  restarting: [503, 'A server is being replaced. Try again in a moment.'],
  busy: [503, 'Many want something at once. It is tried again by itself; otherwise wait a moment.'],
  'rate-limited': [429, 'Too many requests in a short time. Wait a moment.'],
  'server-absent': [503, 'The model server is not connected to the dealer. Try again in a moment.'],
  'dealer-unreachable': [502, 'The dealer cannot be reached. Check that it runs, then try again.'],
  'server-unreachable': [502, 'The model server cannot be reached. Check that it runs, then try again.'],
  'dealer-lost': [502, 'The model server has lost the dealer. Open a new session.'],
  'crypto-missing': [500, 'Open the page over https or on localhost, in a current browser.'],
  internal: [500, 'Try again; if it keeps failing, tell who runs the server.'],
} as const satisfies Record<string, readonly [status: number, advice: string]>

/** What went wrong, for programs; each stands with the HTTP status and the advice that go with it. */
export type SessionErrorCode = keyof typeof codes

/**
 * Parties cannot agree on a session, or have lost it. `message` says what happened, `advice` what a person can do
 * about it.
 */
export class SessionError extends Error {
  override readonly name = 'SessionError'
  readonly code: SessionErrorCode
  /** What a person can do about it. */
  readonly advice: string
  /** Whether `message` is in the other side's words, which do not belong into a log. */
  readonly isQuoted: boolean = false

  /** Seconds after which the same request may succeed. */
  readonly retryAfter?: number

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions & { retryAfter?: number }) {
    super(message, options)
    this.code = code
    this.retryAfter = options?.retryAfter
    this.advice = codes[code][1]
  }

  /** HTTP status that goes with the code. */
  get status(): number {
    return codes[this.code][0]
  }

  /** As it travels; `parse` reads it. */
  toJSON(): { code: SessionErrorCode; message: string; advice: string; retryAfter?: number } {
    return { code: this.code, message: this.message, advice: this.advice, retryAfter: this.retryAfter }
  }

  /** Reads what a peer sent; anything that is not ours becomes `fallback`. */
  static parse(value: unknown, fallback: SessionErrorCode = 'malformed'): SessionError {
    const { code, message, retryAfter } = (value ?? {}) as Record<string, unknown>
    const known = typeof code === 'string' && Object.hasOwn(codes, code)
    const text = typeof message === 'string' ? message : 'The other side refused without a reason.'
    const error = new SessionError(known ? (code as SessionErrorCode) : fallback, plainLine(text), {
      retryAfter: typeof retryAfter === 'number' && retryAfter > 0 ? retryAfter : undefined,
    })
    return Object.assign(error, { isQuoted: true })
  }
}

/** What the other side ended the session with, where the link that it closed says so; any other error as it is. */
export function sessionEnd(error: unknown): unknown {
  if (!(error instanceof LinkError) || error.because === undefined) return error
  return Object.hasOwn(codes, error.because)
    ? SessionError.parse({ code: error.because, message: error.message })
    : error
}

/** Keeps a `SessionError`; hides the text of anything else, which might quote data, behind `internal`. */
export function toSessionError(error: unknown, code: SessionErrorCode = 'internal'): SessionError {
  if (error instanceof SessionError) return error
  return new SessionError(code, 'An unexpected error ended the session.', { cause: error })
}
