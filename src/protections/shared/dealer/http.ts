/** The dealer's HTTP face: key agreement and pass requests, nothing else. */
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import type { Logger } from 'pino'
import { SessionError } from '../../../handshake/errors.ts'
import { limits } from '../../../handshake/limits.ts'
import { failure } from '../../../handshake/node/failure.ts'
import { guard } from '../../../handshake/node/guard.ts'
import { parseJson } from '../../../handshake/parse-json.ts'
import { peerAddress } from '../../../transport/node/peer.ts'
import type { Visitors } from '../../../transport/node/visitors.ts'
import { openRequest } from '../agreement/messages.ts'
import type { Dealer } from './dealer.ts'

export interface DealerAppOptions {
  dealer: Dealer
  /** Origins of pages that may talk to this dealer; `*` allows all. */
  origins: readonly string[]
  visitors: Visitors
  trustProxy: boolean
  log: Logger
}

/** What owners ask of a dealer: to open a session, to deal a pass, to end it. */
export function dealerApp({
  dealer,
  origins,
  visitors,
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
  app.use(guard(visitors))
  app.use(bodyLimit({ maxSize: limits.passBytes + 1024, onError: tooLarge }))

  app.get('/livez', (c) => c.json({ ok: true }))
  // Without a server and its model no session can be opened.
  app.get('/readyz', (c) => (dealer.isReady ? c.json({ ok: true }) : c.json({ ok: false }, 503)))
  app.get('/healthz', (c) => c.json({ ok: true }))

  app.post('/session', async (c) => {
    const request = parseJson(openRequest, await body(c.req), 'The session request')
    const peer = peerAddress(c.env.incoming, trustProxy)
    return c.json(await dealer.open(request, peer, c.req.raw.signal))
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
  app.onError((error, c) => failure(error, c, log))
  return app
}

const body = async (request: { arrayBuffer(): Promise<ArrayBuffer> }): Promise<Uint8Array> =>
  new Uint8Array(await request.arrayBuffer())
