import { createCipheriv } from 'node:crypto'

/** Encrypting zeros gives the keystream; a piece this long stays in the cache. */
const ZEROS = new Uint8Array(32 << 10)

/** Encrypted in place of zeros, it turns the highest bit of every byte. */
export const TURNED = new Uint8Array(ZEROS.length).fill(0x80)

/**
 * RFC 8439 keystream by OpenSSL, whose 16-byte IV is the u32le block counter, then the nonce.
 * @param text one piece, encrypted again and again.
 */
export function opensslKeystream(
  key: Uint8Array,
  nonce: Uint8Array,
  byteOffset: number,
  out: Uint8Array,
  text: Uint8Array = ZEROS,
): void {
  const iv = new Uint8Array(16)
  new DataView(iv.buffer).setUint32(0, byteOffset / 64, true)
  iv.set(nonce, 4)
  const cipher = createCipheriv('chacha20', key, iv)
  for (let at = 0; at < out.length; at += text.length) {
    out.set(cipher.update(text.subarray(0, Math.min(text.length, out.length - at))), at)
  }
}
