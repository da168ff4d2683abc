/** The model server's HTTP face: listings, public files, links. */
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { compress } from 'hono/compress'
import { cors } from 'hono/cors'
import { etag, RETAINED_304_HEADERS } from 'hono/etag'
import type { Logger } from 'pino'
import type { Identity } from '../handshake/crypto.ts'
import { describe } from '../handshake/describe.ts'
import { toBase64Url } from '../handshake/encoding.ts'
import { SessionError, toSessionError } from '../handshake/errors.ts'
import type { ServedListing, ServedListings } from '../handshake/listing.ts'
import type { CatalogEntry, PublicFile } from '../model/files/catalog.ts'
import type { Acceptor } from '../transport/acceptor.ts'
import { LinkError } from '../transport/errors.ts'
import { limits } from '../transport/limits.ts'
import { Bodies } from '../transport/node/bodies.ts'
import { peerAddress } from '../transport/node/peer.ts'
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
  trustProxy: boolean
  status: () => { ready: boolean; sessions: number }
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
  const { acceptor, host, log, origins, status, trustProxy } = options
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
  app.use(async (c, next) => {
    await next()
    c.header('x-content-type-options', 'nosniff')
  })

  app.get('/healthz', (c) => c.json({ ok: true, ...status() }, status().ready ? 200 : 503))

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
  const bodies = new Bodies()
  app.use('/api/link', async (c, next) => {
    if (c.req.method !== 'POST') return next()
    const done = bodies.take(c.req.header('content-length'), peer(c))
    // A fetch link tries again after 503.
    if (!done) throw new SessionError('too-many-sessions', 'Too many requests are being read at once.')
    try {
      await next()
    } finally {
      done()
    }
  })
  app.post('/api/link', bodyLimit({ maxSize: limits.postBytes, onError: tooLarge }), async (c) => {
    const body = new Uint8Array(await c.req.arrayBuffer())
    const answer = await acceptor.post(body, peer(c), c.req.raw.signal)
    return c.body(answer, 200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' })
  })
  app.post('/api/link/rtc', bodyLimit({ maxSize: 64 * 1024, onError: tooLarge }), async (c) => {
    const answer = await answerOffer(await c.req.text(), host, (carrier) =>
      acceptor.accept(carrier, 'webrtc', peer(c)),
    )
    return c.body(answer, 200, { 'content-type': 'application/sdp', 'cache-control': 'no-store' })
  })

  app.notFound((c) => c.json({ error: { code: 'malformed', message: 'There is nothing here.' } }, 404))
  app.onError((error, c) => {
    const typed = error instanceof LinkError ? refusalOf(error) : toSessionError(error)
    if (typed.code === 'internal') log.error({ reason: describe(error) }, 'request failed')
    return c.json({ error: typed.toJSON() }, typed.status as 400)
  })
  return app
}

const refusalOf = ({ code, message }: LinkError): SessionError =>
  new SessionError(code === 'refused' ? 'too-many-sessions' : 'malformed', message)

function sendFile(c: Context<Env>, file: PublicFile): Response {
  return c.body(file.bytes, 200, {
    etag: file.etag,
    // The address does not change with the contents; the hash in the session's transcript does.
    'cache-control': 'no-cache',
    'content-type': file.type,
    'content-length': String(file.bytes.length),
  })
}
