/** What a route answers when it throws. */
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Logger } from 'pino'
import { LinkError } from '../../transport/errors.ts'
import { describe } from '../describe.ts'
import { SessionError, toSessionError } from '../errors.ts'

/** A JSON error with its status; only what is a fault of ours is logged as one. */
export function failure(error: unknown, c: Context<{ Bindings: HttpBindings }>, log: Logger): Response {
  const typed = isCut(c) ? new SessionError('malformed', 'The request was cut off.') : typedOf(error)
  if (typed.code === 'internal') log.error({ reason: describe(error) }, 'request failed')
  else log.debug({ code: typed.code }, 'request refused')
  return c.json({ error: typed.toJSON() }, typed.status as 400)
}

/** A visitor that leaves in the middle of a request has nobody to answer, and is no fault. */
const isCut = ({ env, req }: Context<{ Bindings: HttpBindings }>): boolean =>
  req.raw.signal.aborted || env.incoming.readableAborted

function typedOf(error: unknown): SessionError {
  if (!(error instanceof LinkError)) return toSessionError(error)
  return new SessionError(error.code === 'refused' ? 'too-many-sessions' : 'malformed', error.message)
}
