/** OpenAI's HTTP API on this machine: a data owner that programs in any language can talk to. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import type { Logger } from 'pino'
import type { Sotto } from '../client/sotto.ts'
import type {
  ChatCompletionParams,
  ClassifyParams,
  CompletionParams,
  EmbeddingParams,
  RequestOptions,
} from '../client/types.ts'
import { guard } from '../handshake/node/guard.ts'
import type { Visitors } from '../transport/node/visitors.ts'
import { openAiError, Refusal } from './errors.ts'

/** Of one request: more than any model reads. */
const BODY_BYTES = 8 * 1024 * 1024

/** Requests at once, those that wait for their turn included, unless told otherwise. */
export const MOST_REQUESTS = 32

export interface ProxyAppOptions {
  sotto: Sotto
  /** So many requests at once: each holds what it has sent until it is answered. */
  most: number
  /** What a request has to bring as `Authorization: Bearer …`; without one everybody on this machine may ask. */
  key?: string
  /** Origins of pages that may ask, too. */
  origins: readonly string[]
  visitors: Visitors
  log: Logger
}

type Env = { Bindings: HttpBindings }
type Handler = (c: Context<Env>) => Promise<Response>

/**
 * `POST /v1/chat/completions`, `/v1/completions`, `/v1/embeddings` and `/v1/classify`, `GET /v1/models` and `/v1/models/:id`.
 * Every refusal is an error in OpenAI's form.
 */
export function proxyApp({ sotto, most, key, origins, visitors, log }: ProxyAppOptions): Hono<Env> {
  const app = new Hono<Env>()
  if (origins.length > 0)
    app.use(
      cors({
        origin: [...origins],
        // Whatever headers they ask for: OpenAI's client sends several of its own.
        allowMethods: ['GET', 'POST'],
      }),
    )
  app.use(guard(visitors))
  app.use(async (c, next) => {
    if (key !== undefined && !isKey(c.req.header('authorization'), key))
      throw new Refusal(
        'unauthorised-key',
        'The request has no key, or a wrong one.',
        'Give the one that the proxy was started with as the API key.',
      )
    await next()
    c.header('x-content-type-options', 'nosniff')
    c.header('cache-control', 'no-store')
  })
  app.on('POST', '/v1/*', inTurn(most))
  app.use(
    bodyLimit({
      maxSize: BODY_BYTES,
      onError: () => {
        throw new Refusal('oversized', 'The request is too large.', 'Send fewer texts at once.')
      },
    }),
  )

  app.get('/v1/models', async (c) => c.json(await sotto.models.list()))
  app.get('/v1/models/:id', async (c) => c.json(await sotto.models.retrieve(c.req.param('id'))))
  app.post(
    '/v1/chat/completions',
    streamable((body, options) => sotto.chat.completions.create(body as ChatCompletionParams, options), log),
  )
  app.post(
    '/v1/completions',
    streamable((body, options) => sotto.completions.create(body as CompletionParams, options), log),
  )
  app.post('/v1/embeddings', async (c) =>
    c.json(await sotto.embeddings.create((await bodyOf(c)) as EmbeddingParams, signalOf(c))),
  )
  app.post('/v1/classify', async (c) =>
    c.json(await sotto.classify((await bodyOf(c)) as ClassifyParams, signalOf(c))),
  )

  app.notFound((c) =>
    refuse(c, new Refusal('not-found', 'There is nothing here.', 'Use an address below /v1.'), log),
  )
  app.onError((error, c) => refuse(c, error, log))
  return app
}

/** Lets so many in at once, and turns others away before they have sent anything. */
function inTurn(most: number): MiddlewareHandler<Env> {
  let asking = 0
  return async (c, next) => {
    if (asking >= most)
      throw new Refusal(
        'rate-limited',
        `${most} requests are waiting already.`,
        'Ask again once some are answered.',
      )
    asking++
    // However it ends: answered, streamed to its end, or left.
    c.env.outgoing.once('close', () => {
      asking--
    })
    await next()
  }
}

/** Requests with this key; how long it takes tells nothing of how much of it is right. */
function isKey(header: string | undefined, key: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1] ?? ''
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(key))
}

/** Whoever hangs up cancels the request. */
const signalOf = (c: Context<Env>): RequestOptions => ({ signal: c.req.raw.signal })

/** What a request holds, which is checked where it is used. */
async function bodyOf(c: Context<Env>): Promise<unknown> {
  if (!/^application\/json\b/i.test(c.req.header('content-type') ?? ''))
    throw new Refusal(
      'invalid-request',
      'The request is not of the type application/json.',
      'Say so in content-type.',
    )
  try {
    return await c.req.json()
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new Refusal('invalid-request', 'The request is not JSON.', 'Send an object of JSON.')
  }
}

/** Answers with JSON, or with events as they come (HTML, section 9.2), ended by `[DONE]` as OpenAI ends them. */
function streamable(
  create: (body: unknown, options: RequestOptions) => Promise<object | AsyncIterable<object>>,
  log: Logger,
): Handler {
  return async (c) => {
    const answer = await create(await bodyOf(c), signalOf(c))
    if (!(Symbol.asyncIterator in answer)) return c.json(answer)
    return streamSSE(c, async (stream) => {
      try {
        for await (const chunk of answer) {
          await stream.writeSSE({ data: JSON.stringify(chunk) })
          if (stream.aborted) return
        }
        await stream.writeSSE({ data: '[DONE]' })
      } catch (error) {
        await tell(stream, error, log)
      }
    })
  }
}

/** What breaks in the middle is an event: the status has gone out before. */
async function tell(stream: SSEStreamingApi, error: unknown, log: Logger): Promise<void> {
  if (stream.aborted) return
  const { body } = openAiError(error)
  log.warn({ code: body.error.code }, 'a reply broke off')
  await stream.writeSSE({ data: JSON.stringify(body) })
}

function refuse(c: Context<Env>, error: unknown, log: Logger): Response {
  const { status, body } = openAiError(error)
  // Codes alone: messages may quote what a text was about.
  log[status >= 500 ? 'warn' : 'debug']({ code: body.error.code }, 'request refused')
  if (status === 429) c.header('retry-after', '1')
  return c.json(body, status as 400)
}
