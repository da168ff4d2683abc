/**
 * What owner and server say to each other behind the greeting. Integers are 32 bits, little-endian; one request is under way
 * at a time, and each has one answer.
 */
import * as v from 'valibot'
import { utf8 } from '../../handshake/encoding.ts'
import { SessionError } from '../../handshake/errors.ts'
import { greetingHead, refused } from '../../handshake/greeting.ts'

/** The first thing that is said in a sealed channel: that it is one. */
export const READY = utf8('ready')

/** The owner's introduction. */
export const hello = v.object({
  ...greetingHead.entries,
  /** The key that it has. */
  keyId: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, 'expected 32 hexadecimal digits')),
  /** Of an owner who demands evidence of an enclave: a nonce. What follows the answer is sealed. */
  attest: v.optional(v.pipe(v.string(), v.regex(/^[\w-]{42}[AEIMQUYcgkosw048]$/, 'expected 32 bytes'))),
})
/** The server's answer, with evidence for that nonce where it has some. */
export const welcome = v.variant('t', [
  v.object({ t: v.literal('welcome'), evidence: v.optional(v.unknown()) }),
  refused,
])

/** A request of an owner. */
export type Request =
  /** Read these ids behind so many that were read before, and tell the likeliest next ones. */
  | { readonly kind: 'tokens'; readonly base: number; readonly ids: Uint32Array }
  /** Label this text. */
  | { readonly kind: 'text'; readonly ids: Uint32Array; readonly types: Uint8Array }
  /** Label this picture: its patches, one after another. */
  | { readonly kind: 'picture'; readonly values: Float32Array }
  /** The answer is not wanted any more. */
  | { readonly kind: 'cancel' }

const kinds = ['cancel', 'tokens', 'text', 'picture'] as const
const code = (kind: Request['kind']): number => kinds.indexOf(kind)

/** Kind, a number (where tokens begin; how many ids or numbers there are), ids, and a text's token types. */
export function encodeRequest(request: Request): Uint8Array<ArrayBuffer> {
  if (request.kind === 'cancel') return integers([code('cancel'), 0])
  if (request.kind === 'picture') return encodePicture(request.values)
  const { kind, ids } = request
  if (kind === 'tokens') return integers([code(kind), request.base, ...ids])
  const head = integers([code(kind), ids.length, ...ids])
  const out = new Uint8Array(head.length + request.types.length)
  out.set(head)
  out.set(request.types, head.length)
  return out
}

function encodePicture(values: Float32Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(8 + 4 * values.length)
  out.set(integers([code('picture'), values.length]))
  out.set(encodeAnswer(values), 8)
  return out
}

/** Throws `SessionError` `malformed`. Whether ids and places exist is for whoever knows the model. */
export function decodeRequest(bytes: Uint8Array): Request {
  const complain = (): never => {
    throw new SessionError('malformed', 'The page has sent a request that is none.')
  }
  if (bytes.length < 8) return complain()
  const [which, count] = numbers(bytes.subarray(0, 8))
  const rest = bytes.subarray(8)
  switch (kinds[which]) {
    case 'cancel':
      return { kind: 'cancel' }
    case 'tokens':
      return rest.length % 4 === 0 && rest.length > 0
        ? { kind: 'tokens', base: count, ids: numbers(rest) }
        : complain()
    case 'text':
      return count > 0 && rest.length === 5 * count
        ? { kind: 'text', ids: numbers(rest.subarray(0, 4 * count)), types: rest.slice(4 * count) }
        : complain()
    case 'picture': {
      if (count === 0 || rest.length !== 4 * count) return complain()
      const values = floats(rest)
      return values.every(Number.isFinite) ? { kind: 'picture', values } : complain()
    }
    default:
      return complain()
  }
}

/** An answer that was given up, as its owner wished. */
export const CANCELLED = new Uint8Array()

/** The answer to a picture that a text is about. */
export const TAKEN = Uint8Array.of(1)

/** Tokens and their logits, or logits alone. */
export function encodeAnswer(
  logits: Float32Array,
  ids: Uint32Array = new Uint32Array(),
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(4 * (ids.length + logits.length))
  const view = new DataView(out.buffer)
  ids.forEach((id, i) => {
    view.setUint32(4 * i, id, true)
  })
  logits.forEach((logit, i) => {
    view.setFloat32(4 * (ids.length + i), logit, true)
  })
  return out
}

/**
 * An answer of `count` logits, with as many ids before them if `withIds`. Throws `SessionError` `malformed` for another
 * length, or what is no number.
 */
export function decodeAnswer(
  bytes: Uint8Array,
  count: number,
  withIds: boolean,
): { ids: Uint32Array; logits: Float32Array } {
  const idBytes = withIds ? 4 * count : 0
  if (bytes.length !== idBytes + 4 * count)
    throw new SessionError('malformed', 'The server’s answer is not as long as it should be.')
  const logits = floats(bytes.subarray(idBytes))
  if (!logits.every(Number.isFinite))
    throw new SessionError('malformed', 'The server’s answer has numbers that are none.')
  return { ids: numbers(bytes.subarray(0, idBytes)), logits }
}

function integers(values: readonly number[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(4 * values.length)
  const view = new DataView(out.buffer)
  values.forEach((value, i) => {
    view.setUint32(4 * i, value, true)
  })
  return out
}

function floats(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true))
}

function numbers(bytes: Uint8Array): Uint32Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true))
}
