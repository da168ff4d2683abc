/** The model server's HTTP face: listings, public files, links. */
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { compress } from 'hono/compress'
import { cors } from 'hono/cors'
import { etag, RETAINED_304_HEADERS } from 'hono/etag'
import type { Logger } from 'pino'
import type { Identity } from '../handshake/crypto.ts'
import { toBase64Url } from '../handshake/encoding.ts'
import { SessionError } from '../handshake/errors.ts'
import type { ServedListing, ServedListings } from '../handshake/listing.ts'
import { failure } from '../handshake/node/failure.ts'
import { guard } from '../handshake/node/guard.ts'
import type { CatalogEntry, PublicFile } from '../model/files/catalog.ts'
import type { Acceptor } from '../transport/acceptor.ts'
import type { Carrier } from '../transport/carrier.ts'
import { peerAddress } from '../transport/node/peer.ts'
import type { Visitors } from '../transport/node/visitors.ts'
import { answerOffer } from '../transport/node/webrtc.ts'

/** What the routes answer with. */
export interface ServerAppOptions {
  catalog: readonly CatalogEntry[]
  /** What it offers of the catalogue. */
  listings: readonly ServedListing[]
  identity: Identity
  acceptor: Acceptor
  /** Address that WebRTC connections are offered on. */
  host: string
  origins: readonly string[]
  visitors: Visitors
  trustProxy: boolean
  isReady: () => boolean
  /** Whether the server still gets ready for a model. */
  isPending: (modelHash: string) => boolean
  log: Logger
}

type Env = { Bindings: HttpBindings }

/** Without them a page of another origin may not read that its copy is still good. */
const CORS_HEADERS = ['access-control-allow-origin', 'access-control-expose-headers']

/**
 * GET /healthz, /api/models and the public files below it; POST /api/link (fetch links) and /api/link/rtc
 * (WebRTC offers). WebSockets come by upgrade, beside it. Every refusal is JSON with a code.
 */
export function serverApp(options: ServerAppOptions): Hono<Env> {
  const { acceptor, host, log, origins, isReady, trustProxy, visitors } = options
  const app = new Hono<Env>()
  const peer = (c: Context<Env>) => peerAddress(c.env.incoming, trustProxy)
  app.use(
    cors({
      origin: origins.includes('*') ? '*' : [...origins],
      allowMethods: ['GET', 'POST'],
      allowHeaders: ['content-type', 'if-none-match'],
      exposeHeaders: ['content-length', 'etag'],
      maxAge: 86_400,
    }),
  )
  app.use(guard(visitors))
  app.use(async (c, next) => {
    await next()
    c.header('x-content-type-options', 'nosniff')
  })

  app.get('/healthz', (c) => (isReady() ? c.json({ ok: true }) : c.json({ ok: false }, 503)))

  const serverKey = toBase64Url(options.identity.publicKey)
  app.get('/api/models', (c) => {
    const models = options.listings.map((listing) => ({
      ...listing,
      pending: options.isPending(listing.hash) || undefined,
    }))
    return c.json({ serverKey, models } satisfies ServedListings)
  })
  const byName = new Map(options.catalog.map((entry) => [entry.name, entry]))
  app.use('/api/models/*', compress({ threshold: 4096 }))
  app.use('/api/models/:name/:file', etag({ retainedHeaders: [...RETAINED_304_HEADERS, ...CORS_HEADERS] }))
  app.get('/api/models/:name/:file', (c) => {
    const file = byName.get(c.req.param('name'))?.files.get(c.req.param('file'))
    return file ? sendFile(c, file) : c.notFound()
  })

  const tooLarge = () => {
    throw new SessionError('oversized', 'The request is too large.')
  }
  app.post('/api/link', async (c) => {
    // Whoever is answered early may still be sending: what is left is read and dropped by the adapter.
    const body = c.env.incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>
    const answer = await acceptor.post(body, peer(c), c.req.raw.signal)
    return c.body(answer, 200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' })
  })
  app.post('/api/link/rtc', bodyLimit({ maxSize: 64 * 1024, onError: tooLarge }), async (c) => {
    const address = peer(c)
    const take = (carrier: Carrier) => acceptor.accept(carrier, 'webrtc', address)
    const answer = await answerOffer(await c.req.text(), host, take, address)
    return c.body(answer, 200, { 'content-type': 'application/sdp', 'cache-control': 'no-store' })
  })

  app.notFound((c) => c.json({ error: { code: 'malformed', message: 'There is nothing here.' } }, 404))
  app.onError((error, c) => failure(error, c, log))
  return app
}

function sendFile(c: Context<Env>, file: PublicFile): Response {
  return c.body(file.bytes, 200, {
    etag: file.etag,
    // The address does not change with the contents; the hash in the session's transcript does.
    'cache-control': 'no-cache',
    'content-type': file.type,
    'content-length': String(file.bytes.length),
  })
}
