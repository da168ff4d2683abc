/**
 * What server and dealer say to each other on the material socket. Each message is one byte of kind, then (binary kinds
 * after zeros up to a multiple of 4, so that material starts at a multiple of 8 and needs no copy):
 *
 * | kind | rest |
 * |---|---|
 * | 0 | JSON, see the schemas |
 * | 1 chunk | session id (16), pass (u32), material |
 * | 2 end of a pass | session id (16), pass (u32) |
 * | 3 blob of a registration | index (u32; 0 is the header), last part of this blob (u32, 0 or 1), 4 zeros, bytes |
 */
import * as v from 'valibot'
import { fromHex, toHex, utf8 } from '../../../handshake/encoding.ts'
import { SessionError } from '../../../handshake/errors.ts'
import { limits } from '../../../handshake/limits.ts'

/** Bytes of a session id, random. */
export const SESSION_ID_BYTES = 16

const key = v.pipe(v.string(), v.maxLength(64))
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const sessionId = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/))
const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff))
const refusal = v.object({ code: v.string(), message: v.string() })

/** Server to dealer. */
export const toDealerSchema = v.variant('t', [
  v.object({ t: v.literal('hello'), version: count, key, nonce: key, instance: key }),
  v.object({ t: v.literal('auth'), signature: v.string() }),
  v.object({
    t: v.literal('register'),
    modelHash: hash,
    planHash: hash,
    profile: v.pipe(v.string(), v.maxLength(64)),
  }),
  v.object({ t: v.literal('registered-all'), modelHash: hash }),
  v.object({ t: v.literal('opened'), sessionId }),
  v.object({ t: v.literal('refused'), sessionId, error: refusal }),
  v.object({ t: v.literal('claimed'), sessionId }),
  v.object({ t: v.literal('credit'), sessionId, bytes: count }),
  v.object({ t: v.literal('begun'), sessionId, pass: count }),
  v.object({ t: v.literal('used'), sessionId, pass: count }),
  v.object({ t: v.literal('close'), sessionId, error: refusal }),
])
/** What a server says, as JSON. */
export type ToDealer = v.InferOutput<typeof toDealerSchema>

/** Dealer to server. */
export const toServerSchema = v.variant('t', [
  v.object({ t: v.literal('challenge'), version: count, key, nonce: key, signature: v.string() }),
  v.object({ t: v.literal('ready') }),
  v.object({ t: v.literal('registered'), modelHash: hash }),
  v.object({ t: v.literal('unregistered'), modelHash: hash, error: refusal }),
  v.object({ t: v.literal('open'), sessionId, modelHash: hash, transcript: hash }),
  v.object({ t: v.literal('failed'), sessionId, error: refusal }),
  v.object({ t: v.literal('close'), sessionId }),
])
/** What a dealer says, as JSON. */
export type ToServer = v.InferOutput<typeof toServerSchema>

/** A message taken apart. */
export type SocketMessage =
  | { kind: 'json'; value: unknown }
  | { kind: 'chunk'; sessionId: string; pass: number; bytes: Uint8Array }
  | { kind: 'end'; sessionId: string; pass: number }
  | { kind: 'blob'; index: number; last: boolean; bytes: Uint8Array }

const PASS_HEADER = 4 + SESSION_ID_BYTES + 4
const BLOB_HEADER = 16

/** A message of kind 0. */
export const encodeJson = (message: ToDealer | ToServer): Uint8Array => {
  const text = utf8(JSON.stringify(message))
  const bytes = new Uint8Array(1 + text.length)
  bytes.set(text, 1)
  return bytes
}

/** @param scratch where the message is made, if it has room for it. */
export function encodePassPart(
  kind: 'chunk' | 'end',
  sessionId: string,
  pass: number,
  chunk: Uint8Array = new Uint8Array(0),
  scratch?: Uint8Array,
): Uint8Array {
  const length = PASS_HEADER + chunk.length
  const bytes = scratch && scratch.length >= length ? scratch.subarray(0, length) : new Uint8Array(length)
  bytes[0] = kind === 'chunk' ? 1 : 2
  bytes.set(fromHex(sessionId), 4)
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(4 + SESSION_ID_BYTES, pass, true)
  bytes.set(chunk, PASS_HEADER)
  return bytes
}

/** A part of a registration: kind 3. */
export function encodeBlob(index: number, last: boolean, part: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(BLOB_HEADER + part.length)
  bytes[0] = 3
  new DataView(bytes.buffer).setUint32(4, index, true)
  bytes[8] = last ? 1 : 0
  bytes.set(part, BLOB_HEADER)
  return bytes
}

/** Throws `SessionError` `malformed`. Bytes alias the message. */
export function decodeMessage(message: Uint8Array): SocketMessage {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  const kind = message[0]
  if (kind === 0 && message.length <= limits.jsonBytes) {
    try {
      return { kind: 'json', value: JSON.parse(new TextDecoder().decode(message.subarray(1))) }
    } catch {
      throw new SessionError('malformed', 'A message of the material socket is not JSON.')
    }
  }
  if ((kind === 1 || kind === 2) && message.length >= PASS_HEADER) {
    const sessionId = toHex(message.subarray(4, 4 + SESSION_ID_BYTES))
    const pass = view.getUint32(4 + SESSION_ID_BYTES, true)
    if (kind === 1) return { kind: 'chunk', sessionId, pass, bytes: message.subarray(PASS_HEADER) }
    if (message.length === PASS_HEADER) return { kind: 'end', sessionId, pass }
  }
  if (kind === 3 && message.length >= BLOB_HEADER && message[8] <= 1) {
    return {
      kind: 'blob',
      index: view.getUint32(4, true),
      last: message[8] === 1,
      bytes: message.subarray(BLOB_HEADER),
    }
  }
  throw new SessionError('malformed', 'A message of the material socket is malformed.')
}

/** The fields of a JSON message. Throws `SessionError` `malformed`, and never quotes a value. */
export function parseMessage<S extends typeof toDealerSchema | typeof toServerSchema>(
  schema: S,
  value: unknown,
): v.InferOutput<S> {
  const result = v.safeParse(schema, value)
  if (!result.success)
    throw new SessionError('malformed', 'A message of the material socket has wrong fields.')
  return result.output
}
