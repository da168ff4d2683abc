/** Single-signer messages (COSE_Sign1, RFC 9052, section 4.2), as Nitro makes them: ES384, nothing unprotected. */
import { concatBytes } from '@noble/hashes/utils.js'
import { Decoder } from 'cbor-x/decode-no-eval'
import { utf8 } from '../encoding.ts'
import { AttestationError } from './error.ts'

/** ECDSA with SHA-384 (RFC 9053, section 2.1). */
const ES384 = -35
/** Of algorithm, in the protected header. */
const ALG = 1
/** The tag of COSE_Sign1, which may be left out. */
const TAG = 0xd2
const TAG_BYTES = 1

export interface Sign1 {
  readonly payload: Uint8Array
  /** r | s: 96 bytes. */
  readonly signature: Uint8Array
  /** What the signature is over. */
  readonly signed: Uint8Array
}

const decoder = new Decoder({ mapsAsObjects: false, useRecords: false })

/** Decodes CBOR (RFC 8949) that must fill `bytes`. Throws {@link AttestationError} `malformed`. */
export function decodeCbor(bytes: Uint8Array, what: string): unknown {
  try {
    return decoder.decode(bytes as Uint8Array<ArrayBuffer>)
  } catch (cause) {
    throw new AttestationError('malformed', `${what} is no CBOR.`, { cause })
  }
}

/** Takes a message apart. Throws {@link AttestationError} `malformed`. */
export function decodeSign1(message: Uint8Array): Sign1 {
  const untagged = message[0] === TAG ? message.subarray(TAG_BYTES) : message
  const parts = decodeCbor(untagged, 'The document')
  if (!Array.isArray(parts) || parts.length !== 4)
    throw new AttestationError('malformed', 'The document is no COSE_Sign1.')
  const [head, open, payload, signature] = parts as unknown[]
  if (
    !(head instanceof Uint8Array && payload instanceof Uint8Array && signature instanceof Uint8Array) ||
    !(open instanceof Map && open.size === 0) ||
    signature.length !== 96
  )
    throw new AttestationError('malformed', 'The document is no COSE_Sign1 with a signature of P-384.')
  const header = decodeCbor(head, 'The header')
  if (!(header instanceof Map && header.size === 1 && header.get(ALG) === ES384))
    throw new AttestationError('malformed', 'The document is not signed with ES384.')
  return { payload, signature, signed: sigStructure(head, payload) }
}

/** Sig_structure (RFC 9052, section 4.4) without external data, in CBOR. */
export const sigStructure = (head: Uint8Array, payload: Uint8Array): Uint8Array =>
  concatBytes(
    Uint8Array.of(0x84),
    field(0x60, utf8('Signature1')),
    field(0x40, head),
    field(0x40, new Uint8Array()),
    field(0x40, payload),
  )

/** A string of CBOR's major type `major`, its length in the shortest form. */
function field(major: number, bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  const head =
    length < 24
      ? [major | length]
      : length < 1 << 8
        ? [major | 24, length]
        : length < 1 << 16
          ? [major | 25, length >> 8, length & 0xff]
          : [major | 26, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff]
  return concatBytes(Uint8Array.from(head), bytes)
}
