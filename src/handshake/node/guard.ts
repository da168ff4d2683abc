/** Turns visitors away who come under a name that is not ours, or from a page that may not come. */
import type { HttpBindings } from '@hono/node-server'
import type { MiddlewareHandler } from 'hono'
import type { Visitors } from '../../transport/node/visitors.ts'
import { SessionError } from '../errors.ts'

/** Methods that change nothing (RFC 9110, section 9.2.1); what a page may read of their answers is CORS's matter. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Throws `SessionError` `wrong-host` or `foreign-page`. */
export const guard =
  (visitors: Visitors): MiddlewareHandler<{ Bindings: HttpBindings }> =>
  async (c, next) => {
    const { headers } = c.env.incoming
    if (!visitors.isOurName(headers))
      throw new SessionError('wrong-host', 'This server is not known by the name that you used.')
    if (!SAFE.has(c.req.method) && !visitors.isOurPage(headers))
      throw new SessionError('foreign-page', 'A page of another origin may not do this.')
    await next()
  }
