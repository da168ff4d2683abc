/** Errors in OpenAI's form. */
import { toSessionError } from '../handshake/errors.ts'

/** What programs find in an answer that is none. */
export interface OpenAiError {
  error: { message: string; type: string; param: string | null; code: string }
}

interface Told {
  readonly status: number
  readonly type: string
  readonly code: string
}

const invalid = 'invalid_request_error'

/** Codes of ours that OpenAI's clients know under another name, or that are not the parties' fault. */
const told: Record<string, Told> = {
  'invalid-request': { status: 400, type: invalid, code: 'invalid_request' },
  unsupported: { status: 400, type: invalid, code: 'unsupported_parameter' },
  empty: { status: 400, type: invalid, code: 'invalid_request' },
  'wrong-task': { status: 400, type: invalid, code: 'model_not_supported' },
  context: { status: 400, type: invalid, code: 'context_length_exceeded' },
  'unknown-model': { status: 404, type: invalid, code: 'model_not_found' },
  'unauthorised-key': { status: 401, type: 'authentication_error', code: 'invalid_api_key' },
  'foreign-page': { status: 403, type: 'permission_error', code: 'foreign_page' },
  'wrong-host': { status: 421, type: 'permission_error', code: 'wrong_host' },
  oversized: { status: 413, type: invalid, code: 'request_too_large' },
  'not-found': { status: 404, type: invalid, code: 'not_found' },
  'rate-limited': { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  busy: { status: 503, type: 'server_error', code: 'overloaded' },
  'too-many-sessions': { status: 503, type: 'server_error', code: 'overloaded' },
  restarting: { status: 503, type: 'server_error', code: 'overloaded' },
}

/** A request that this proxy turns away by itself. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: string
  readonly advice: string

  constructor(
    code: 'unauthorised-key' | 'oversized' | 'not-found' | 'invalid-request' | 'rate-limited',
    message: string,
    advice: string,
  ) {
    super(message)
    this.code = code
    this.advice = advice
  }
}

/** The status and the body of an answer to whatever was thrown; the text of what has no code of ours stays here. */
export function openAiError(reason: unknown): { status: number; body: OpenAiError } {
  const { code, advice, message, param } = known(reason)
  const parties = { status: 502, type: 'server_error', code: code.replaceAll('-', '_') }
  const { status, type, code: name } = Object.hasOwn(told, code) ? told[code] : parties
  const text = [message, advice].filter(Boolean).join(' ')
  return { status, body: { error: { message: text, type, param: param ?? null, code: name } } }
}

interface Known {
  code: string
  advice: string
  message: string
  param?: string
}

function known(reason: unknown): Known {
  const { code, advice, message, param } = (reason ?? {}) as Partial<Known>
  if (typeof code === 'string' && typeof advice === 'string' && code !== 'internal')
    return { code, advice, message: message ?? '', param }
  const { code: own, advice: what, message: text } = toSessionError(undefined)
  return { code: own, advice: what, message: text }
}
