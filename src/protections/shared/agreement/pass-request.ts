/** Pass requests: number, opaque body, MAC. Only the owner who agreed on the session can make one. */
import type { Mac } from '../../../handshake/crypto.ts'
import { MAC_BYTES } from '../../../handshake/crypto.ts'
import { joinFields } from '../../../handshake/encoding.ts'
import { SessionError } from '../../../handshake/errors.ts'
import { limits } from '../../../handshake/limits.ts'

const covered = (sessionId: string, pass: number, body: Uint8Array): Uint8Array =>
  joinFields(['sotto pass request', sessionId, String(pass), body])

/** `pass` (u32, little endian), body, HMAC-SHA-256. */
export async function sealPass(
  mac: Mac,
  sessionId: string,
  pass: number,
  body: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  if (body.length > limits.passBytes)
    throw new SessionError('oversized', 'A pass request is above the limit.')
  const out = new Uint8Array(4 + body.length + MAC_BYTES)
  new DataView(out.buffer).setUint32(0, pass, true)
  out.set(body, 4)
  out.set(await mac.tag(covered(sessionId, pass, body)), 4 + body.length)
  return out
}

/** A request taken apart, its MAC not checked yet. */
export interface PassRequest {
  pass: number
  body: Uint8Array
  tag: Uint8Array
}

/** Throws `SessionError`: `malformed`, `oversized` or `bad-mac`. */
export async function openPass(mac: Mac, sessionId: string, bytes: Uint8Array): Promise<PassRequest> {
  if (bytes.length < 4 + MAC_BYTES) throw new SessionError('malformed', 'A pass request is too short.')
  if (bytes.length > 4 + MAC_BYTES + limits.passBytes) {
    throw new SessionError('oversized', 'A pass request is above the limit.')
  }
  const pass = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  const body = bytes.slice(4, bytes.length - MAC_BYTES)
  const tag = bytes.slice(bytes.length - MAC_BYTES)
  if (!(await mac.check(covered(sessionId, pass, body), tag))) {
    throw new SessionError('bad-mac', 'A pass request was not made by the owner of this session.')
  }
  return { pass, body, tag }
}

/** The HKDF purposes of a session's keys, under the owner-dealer secret and the transcript. */
export const keyPurpose = Object.freeze({
  seed: 'sotto session seed',
  passMac: 'sotto pass mac',
  splitSeed: 'sotto split seed',
})
