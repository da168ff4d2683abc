/** What a server says of its models before any session exists: GET /api/models. */
import * as v from 'valibot'
import { parseJson } from '../protections/shared/agreement/messages.ts'
import { SessionError } from './errors.ts'
import { limits } from './limits.ts'

const text = v.pipe(v.string(), v.maxLength(2000))
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const count = v.pipe(v.number(), v.integer(), v.minValue(0))

const cardSchema = v.object({
  /** Stable identifier; also the folder in the address of its public files. */
  name: v.pipe(v.string(), v.regex(/^[\w.-]{1,100}$/)),
  title: text,
  description: text,
  licence: text,
  /** Hash of the bundle's manifest. */
  hash,
  planHash: hash,
  profile: text,
  /** Size of the one-time public download. */
  publicBytes: count,
  parameters: count,
  privateParameters: count,
  /** Longest conversation, in tokens. */
  context: count,
  /** The server has just started, or found its dealer again, and cannot open sessions with this model yet. */
  pending: v.optional(v.boolean()),
  task: v.optional(v.picklist(['chat', 'classify'])),
  /** A classifier's labels, and whether it takes pairs of texts. */
  labels: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(200))), v.maxLength(4096))),
  pairs: v.optional(v.boolean()),
})

const listSchema = v.object({
  /** The server's identity, base64url. */
  serverKey: v.pipe(v.string(), v.length(43)),
  models: v.pipe(v.array(cardSchema), v.maxLength(limits.modelsPerServer)),
})

export type ServedListing = v.InferOutput<typeof cardSchema>
export type ServedListings = v.InferOutput<typeof listSchema>

/** Rejects with `SessionError`: `server-unreachable` or `malformed`. */
export async function fetchListings(
  server: string,
  fetch = globalThis.fetch.bind(globalThis),
): Promise<ServedListings> {
  let body: string
  try {
    const response = await fetch(new URL('/api/models', server), {
      cache: 'no-store',
      signal: AbortSignal.timeout(10_000),
    })
    if (!response.ok) throw new Error(`status ${response.status}`)
    body = await response.text()
  } catch (cause) {
    throw new SessionError('server-unreachable', 'The model server does not answer.', { cause })
  }
  return parseJson(listSchema, body, 'The list of models')
}
