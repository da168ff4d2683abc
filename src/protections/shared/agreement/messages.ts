/** JSON that the owner exchanges with the dealer (over HTTP) and with the server (first messages of a link). */
import * as v from 'valibot'
import { fromBase64Url } from '../../../handshake/encoding.ts'
import { SessionError } from '../../../handshake/errors.ts'

const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits'))
const sessionId = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, 'expected 32 hexadecimal digits'))
const version = v.pipe(v.number(), v.integer())

/** Base64url of so many bytes, decoded. */
const base64 = (length: number) =>
  v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      try {
        return fromBase64Url(dataset.value, length)
      } catch {
        addIssue({ message: `expected ${length} bytes of base64url` })
        return NEVER
      }
    }),
  )

/** Owner to dealer: POST /session. */
export const openRequest = v.object({
  protocolVersion: version,
  modelHash: hash,
  planHash: hash,
  profile: v.pipe(v.string(), v.maxLength(64)),
  serverIdentity: base64(32),
  ownerEphemeral: base64(32),
})

export const openAnswer = v.object({
  sessionId,
  dealerIdentity: base64(32),
  dealerEphemeral: base64(32),
  signature: base64(64),
  /** Split models: F's seed, encrypted for the owner under a key of the session. */
  splitSeed: v.optional(base64(48)),
})

/** Owner to server: first message of a link. */
export const hello = v.object({
  t: v.literal('hello'),
  protocolVersion: version,
  sessionId,
  transcript: hash,
  modelHash: hash,
  planHash: hash,
})

/** Server to owner: the answer. */
export const welcome = v.variant('t', [
  v.object({ t: v.literal('welcome'), fSeed: base64(32), signature: base64(64) }),
  v.object({ t: v.literal('refused'), code: v.string(), message: v.string() }),
])

/** Throws `SessionError` `malformed` with the place of the first mistake, never with a value. */
export function parseJson<S extends v.GenericSchema>(
  schema: S,
  json: string | Uint8Array,
  what: string,
): v.InferOutput<S> {
  let value: unknown
  try {
    value = JSON.parse(typeof json === 'string' ? json : new TextDecoder().decode(json))
  } catch {
    throw new SessionError('malformed', `${what} is not JSON.`)
  }
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  const where = v.getDotPath(result.issues[0]) ?? 'the top level'
  throw new SessionError('malformed', `${what} is wrong at ${where}.`)
}
