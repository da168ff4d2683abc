/** Just as much of DER (X.690) as tells whether a certificate has a single spelling. */
import { equalBytes } from '../encoding.ts'
import { AttestationError } from './error.ts'

interface Element {
  readonly tag: number
  readonly body: Uint8Array
  /** With its tag and length. */
  readonly whole: Uint8Array
}

const SEQUENCE = 0x30
const BIT_STRING = 0x03
const VERSION = 0xa0

/** The elements that stand one after another in `bytes`. Throws {@link AttestationError} `malformed`. */
function elements(bytes: Uint8Array): Element[] {
  const out: Element[] = []
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at + 1]
    const more = first < 0x80 ? 0 : first & 0x7f
    let length = more === 0 ? first : 0
    for (let i = 0; i < more; i++) length = 256 * length + bytes[at + 2 + i]
    const end = at + 2 + more + length
    // The shortest form of a length is the only one; 0x80, a length that is told at the end, is none.
    const isShortest = first < 0x80 || (more > 0 && bytes[at + 2] !== 0 && length >= 0x80)
    if (!(more <= 3 && end <= bytes.length && isShortest)) throw malformed()
    out.push({ tag: bytes[at], body: bytes.subarray(at + 2 + more, end), whole: bytes.subarray(at, end) })
    at = end
  }
  return out
}

/**
 * Checks what no signature covers (RFC 5280, section 4.1.1): the algorithm outside is the one inside, and the signature is
 * of whole bytes, with nothing after it. Throws {@link AttestationError} `malformed`.
 */
export function checkSpelling(certificate: Uint8Array): void {
  const [outer, ...after] = elements(certificate)
  const parts = outer?.tag === SEQUENCE ? elements(outer.body) : []
  if (after.length > 0 || parts.length !== 3) throw malformed()
  const [toBeSigned, algorithm, signature] = parts
  const inside = elements(toBeSigned.body).filter(({ tag }, i) => !(i === 0 && tag === VERSION))
  // The serial number, and then the algorithm.
  if (!inside[1] || !equalBytes(inside[1].whole, algorithm.whole)) throw malformed()
  if (signature.tag !== BIT_STRING || signature.body[0] !== 0) throw malformed()
}

const malformed = (): AttestationError =>
  new AttestationError('malformed', 'A certificate is not as the standard has it.')
