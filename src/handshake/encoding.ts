/** Text forms of bytes, and the one unambiguous way in which several fields become bytes. */
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { base64urlnopad } from '@scure/base'

const encoder = new TextEncoder()

/** The bytes of a text. */
export const utf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text)

/** Lower-case hexadecimal, two digits a byte. */
export const toHex = (bytes: Uint8Array): string => bytesToHex(bytes)

/** Throws `RangeError` unless `text` is lower-case hexadecimal of whole bytes: one value has one spelling. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (!/^([0-9a-f]{2})*$/.test(text)) throw new RangeError('Not lower-case hexadecimal.')
  return hexToBytes(text)
}

/** RFC 4648, section 5, without padding. */
export const toBase64Url = (bytes: Uint8Array): string => base64urlnopad.encode(bytes)

/**
 * Throws `RangeError` unless `text` is base64url of exactly `length` bytes in its one canonical spelling: no padding,
 * no white space, and no bit set among those that the last character has to spare (RFC 4648, section 3.5).
 */
export function fromBase64Url(text: string, length: number): Uint8Array<ArrayBuffer> {
  let bytes: Uint8Array | undefined
  try {
    bytes = base64urlnopad.decode(text)
  } catch (cause) {
    throw new RangeError('Not base64url.', { cause })
  }
  if (bytes.length !== length) throw new RangeError(`Not ${length} bytes of base64url.`)
  return bytes as Uint8Array<ArrayBuffer>
}

/** Each field with its length before it (u32le), so that no two lists of fields give the same bytes. */
export function joinFields(fields: readonly (string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const parts = fields.map((field) => (typeof field === 'string' ? utf8(field) : field))
  return concatBytes(...parts.flatMap((part) => [u32le(part.length), part]))
}

function u32le(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

/** Compares without telling by its duration where the difference is. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i]
  return difference === 0
}
