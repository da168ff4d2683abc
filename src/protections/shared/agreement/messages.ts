/** JSON that the owner exchanges with the dealer (over HTTP) and with the server (first messages of a link). */
import * as v from 'valibot'
import { fromBase64Url } from '../../../handshake/encoding.ts'
import { refused } from '../../../handshake/greeting.ts'

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

/** Dealer to owner: the answer to a request for a session that it takes. */
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
  v.object({
    t: v.literal('welcome'),
    fSeed: base64(32),
    signature: base64(64),
    /** Milliseconds that the server lets everybody wait lately: a hint of what of a round trip is not the way. */
    delay: v.pipe(v.string(), v.regex(/^\d{4}$/, 'expected four digits'), v.transform(Number)),
  }),
  refused,
])
