/**
 * Makes a whole process reproducible: loaded before a program (`node --import`), it replaces the platform's random
 * generator by AES-256-CTR under a key from the environment. For tests alone; no program of ours loads it.
 *
 * Every kind of draw has a keystream of its own, so that what timing decides (how many frames a socket masks) moves
 * nothing that timing does not.
 *
 * `SOTTO_TEST_SEED` is the key; `SOTTO_TEST_STUCK`, a number of bytes, names draws that always give the same.
 */
import crypto, {
  type Cipher,
  createCipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
} from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

const seed = process.env.SOTTO_TEST_SEED
if (!seed) throw new Error('SOTTO_TEST_SEED must hold the key of the test.')
const stuck = Number(process.env.SOTTO_TEST_STUCK ?? 0)
const streams = new Map<string, Cipher>()

function draw(purpose: string, length: number): Buffer {
  const name = `${seed} ${purpose} ${length}`
  let stream = length === stuck ? undefined : streams.get(name)
  if (!stream) {
    const key = createHash('sha256').update(name).digest()
    stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
    streams.set(name, stream)
  }
  return stream.update(Buffer.alloc(length))
}

function fill<T extends ArrayBufferView | null>(purpose: string, array: T): T {
  if (array) {
    const { buffer, byteOffset, byteLength } = array
    new Uint8Array(buffer, byteOffset, byteLength).set(draw(purpose, byteLength))
  }
  return array
}

globalThis.crypto.getRandomValues = (array) => fill('values', array)

const generate = crypto.subtle.generateKey.bind(crypto.subtle) as (...args: unknown[]) => Promise<unknown>
/** DER of a PKCS#8 X25519 key up to its 32 bytes (RFC 8410). */
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex')

/** X25519 pairs from the keystream; everything else as ever. */
async function generateKey(...args: unknown[]): Promise<unknown> {
  if ((args[0] as { name?: string }).name !== 'X25519') return generate(...args)
  const der = Buffer.concat([PKCS8_X25519, draw('X25519', 32)])
  const { x = '' } = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({
    format: 'jwk',
  })
  const curve = { name: 'X25519' }
  const [privateKey, publicKey] = await Promise.all([
    crypto.subtle.importKey('pkcs8', der, curve, false, ['deriveBits']),
    crypto.subtle.importKey('raw', Buffer.from(x, 'base64url'), curve, true, []),
  ])
  return { privateKey, publicKey }
}

Object.assign(crypto.subtle, { generateKey })
Object.assign(crypto, {
  randomBytes: (length: number) => draw('bytes', length),
  randomFillSync: (buffer: ArrayBufferView) => fill('fill', buffer),
})
// Programs import these by name, which would otherwise still mean the real ones.
syncBuiltinESMExports()
