/** Evidence as enclaves' own tools print it, and as files keep it. */
import { EVIDENCE_FORMAT } from '../attestation/evidence.ts'

/**
 * Evidence as JSON of bytes that are JSON, a Nitro document as it is, or one in base64; its form is not checked. Throws
 * `SyntaxError` for what begins as JSON and is none.
 */
export function evidenceIn(bytes: Buffer): unknown {
  const text = bytes.toString('latin1').trim()
  // JSON begins with a brace; base64 of CBOR's arrays with an h or a 0.
  if (text.startsWith('{')) return JSON.parse(bytes.toString('utf8'))
  const document = /^[A-Za-z0-9+/\s]+=*$/.test(text) ? Buffer.from(text, 'base64') : bytes
  return { format: EVIDENCE_FORMAT, platform: 'aws-nitro', document: document.toString('base64url') }
}
