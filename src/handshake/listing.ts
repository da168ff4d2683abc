/** What a server says of its models before any session exists: GET /api/models. */
import * as v from 'valibot'
import { wholeBody } from '../transport/body.ts'
import { SessionError } from './errors.ts'
import { limits } from './limits.ts'
import { parseJson } from './parse-json.ts'
import { servedTasks } from './task.ts'

/** Of all models together, labels included. */
const LISTING_BYTES = 8 * 1024 * 1024

const text = v.pipe(v.string(), v.maxLength(2000))
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const count = v.pipe(v.number(), v.integer(), v.minValue(0))

/** What every model's listing says; the model's protection adds what its own side of the page needs to know. */
const listingSchema = v.looseObject({
  /** Stable identifier; also the folder in the address of its public files. */
  name: v.pipe(v.string(), v.regex(/^[\w.-]{1,100}$/)),
  title: text,
  description: text,
  licence: text,
  /** Hash of the bundle's manifest. */
  hash,
  /** Id of the protection that the server runs it under. */
  protection: v.pipe(v.string(), v.regex(/^[\w.-]{1,64}$/)),
  /** Size of the one-time public download. */
  publicBytes: count,
  parameters: count,
  privateParameters: count,
  /** Longest conversation, in tokens. */
  context: count,
  /** The server still gets ready for this model, and cannot open sessions with it yet. */
  pending: v.optional(v.boolean()),
  task: v.optional(v.picklist(servedTasks)),
  /** A classifier's labels, and whether it takes pairs of texts. */
  labels: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(200))), v.maxLength(4096))),
  pairs: v.optional(v.boolean()),
  /** Share of held-out texts that got the right label when they were labelled privately, as its owner has measured. */
  evaluation: v.optional(
    v.object({
      accuracy: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
      texts: v.pipe(count, v.minValue(1)),
    }),
  ),
  /** What it labels, where that is not texts. */
  reads: v.optional(v.literal('pictures')),
  /** What it gives, where that is not one label's probability among several; `text`: answers to questions. */
  outputs: v.optional(v.picklist(['sigmoid', 'raw', 'tags', 'text'])),
})

const listSchema = v.object({
  /** The server's identity, base64url. */
  serverKey: v.pipe(v.string(), v.length(43)),
  models: v.pipe(v.array(listingSchema), v.maxLength(limits.modelsPerServer)),
})

/** One model as its server describes it. */
export type ServedListing = v.InferOutput<typeof listingSchema>
/** The answer to GET /api/models: who the server is, and its models. */
export type ServedListings = v.InferOutput<typeof listSchema>

/** Asks a server what it offers. Rejects with `SessionError`: `server-unreachable` or `malformed`. */
export async function fetchListings(
  server: string,
  fetch = globalThis.fetch.bind(globalThis),
): Promise<ServedListings> {
  let body: Uint8Array
  try {
    const response = await fetch(new URL('/api/models', server), {
      cache: 'no-store',
      signal: AbortSignal.timeout(10_000),
    })
    if (!response.ok) throw new Error(`status ${response.status}`)
    body = await wholeBody(response, LISTING_BYTES)
  } catch (cause) {
    throw new SessionError('server-unreachable', 'The model server does not answer.', { cause })
  }
  return parseJson(listSchema, body, 'The list of models')
}
