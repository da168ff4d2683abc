/** The dealer's HTTP face: key agreement and pass requests, nothing else. */
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import type { Logger } from 'pino'
import { describe } from '../../../handshake/describe.ts'
import { SessionError, toSessionError } from '../../../handshake/errors.ts'
import { limits } from '../../../handshake/limits.ts'
import { parseJson } from '../../../handshake/parse-json.ts'
import { peerAddress } from '../../../transport/node/peer.ts'
import { openRequest } from '../agreement/messages.ts'
import type { Dealer } from './dealer.ts'

export interface DealerAppOptions {
  dealer: Dealer
  /** Origins of pages that may talk to this dealer; `*` allows all. */
  origins: readonly string[]
  trustProxy: boolean
  log: Logger
}

/** What owners ask of a dealer: to open a session, to deal a pass, to end it. */
export function dealerApp({
  dealer,
  origins,
  trustProxy,
  log,
}: DealerAppOptions): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>()
  const tooLarge = () => {
    throw new SessionError('oversized', 'The request is too large.')
  }
  app.use(
    cors({
      origin: origins.includes('*') ? '*' : [...origins],
      allowMethods: ['GET', 'POST'],
      allowHeaders: ['content-type'],
      maxAge: 86_400,
    }),
  )
  app.use(bodyLimit({ maxSize: limits.passBytes + 1024, onError: tooLarge }))

  app.get('/healthz', (c) => c.json({ ok: true, ...dealer.status }))

  app.post('/session', async (c) => {
    const request = parseJson(openRequest, await body(c.req), 'The session request')
    return c.json(await dealer.open(request, peerAddress(c.env.incoming, trustProxy)))
  })

  app.post('/session/:id/pass', async (c) => {
    await dealer.session(c.req.param('id')).request(await body(c.req))
    return c.body(null, 204)
  })

  app.post('/session/:id/close', async (c) => {
    await dealer.session(c.req.param('id')).farewell(await body(c.req))
    return c.body(null, 204)
  })

  app.notFound((c) => c.json({ error: { code: 'malformed', message: 'There is nothing here.' } }, 404))
  app.onError((error, c) => {
    const typed = toSessionError(error)
    if (typed.code === 'internal') log.error({ reason: describe(error) }, 'request failed')
    else log.info({ code: typed.code }, 'request refused')
    return c.json({ error: typed.toJSON() }, typed.status as 400)
  })
  return app
}

const body = async (request: { arrayBuffer(): Promise<ArrayBuffer> }): Promise<Uint8Array> =>
  new Uint8Array(await request.arrayBuffer())
