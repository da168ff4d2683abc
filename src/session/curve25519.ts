/**
 * X25519 and the verification of Ed25519 for browsers whose WebCrypto lacks them (Chromium before 133 and 137): plain
 * big integers, checked against the RFCs' vectors and against WebCrypto.
 *
 * Not constant-time: BigInt's duration depends on its values. The only secret that comes near it is the owner's
 * ephemeral key, used once, in the owner's own browser; servers never use this file.
 */

const P = 2n ** 255n - 19n
/** Order of the base point. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n

const mod = (x: bigint, m = P): bigint => {
  const r = x % m
  return r < 0n ? r + m : r
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = (b * b) % P)
    if (e & 1n) result = (result * b) % P
  return result
}

const invert = (x: bigint): bigint => power(x, P - 2n)

const fromBytes = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)

function toBytes(x: bigint): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((x >> BigInt(8 * i)) & 255n))
}

/** RFC 7748, section 5: the scalar is clamped, the top bit of u ignored. Zeros come out for points of small order. */
export function x25519(scalar: Uint8Array, u: Uint8Array): Uint8Array<ArrayBuffer> {
  const clamped = scalar.slice()
  clamped[0] &= 248
  clamped[31] = (clamped[31] & 127) | 64
  const k = fromBytes(clamped)
  const x1 = mod(fromBytes(u) & (2n ** 255n - 1n))
  let [x2, z2, x3, z3, swapped] = [1n, 0n, x1, 1n, 0n]
  for (let t = 254n; t >= 0n; t--) {
    const bit = (k >> t) & 1n
    if (swapped !== bit) [x2, x3, z2, z3] = [x3, x2, z3, z2]
    swapped = bit
    const [a, b, c, d] = [x2 + z2, x2 - z2, x3 + z3, x3 - z3]
    const [da, cb] = [mod(d * a), mod(c * b)]
    const [aa, bb] = [mod(a * a), mod(b * b)]
    const e = aa - bb
    x3 = mod((da + cb) ** 2n)
    z3 = mod(x1 * mod((da - cb) ** 2n))
    x2 = mod(aa * bb)
    z2 = mod(e * (aa + 121665n * e))
  }
  if (swapped) [x2, z2] = [x3, z3]
  return toBytes(mod(x2 * invert(z2)))
}

export const x25519Base = (): Uint8Array<ArrayBuffer> => toBytes(9n)

/** Extended coordinates (RFC 8032, section 5.1.4): x = X/Z, y = Y/Z, xy = T/Z. */
type Point = readonly [x: bigint, y: bigint, z: bigint, t: bigint]

const D = mod(-121665n * invert(121666n))
const SQRT_MINUS_1 = power(2n, (P - 1n) / 4n)

function add([x1, y1, z1, t1]: Point, [x2, y2, z2, t2]: Point): Point {
  const a = mod((y1 - x1) * (y2 - x2))
  const b = mod((y1 + x1) * (y2 + x2))
  const c = mod(2n * mod(t1 * t2) * D)
  const d = mod(2n * z1 * z2)
  const [e, f, g, h] = [b - a, d - c, d + c, b + a]
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)]
}

function multiply(k: bigint, point: Point): Point {
  let result: Point = [0n, 1n, 1n, 0n]
  for (let p = point, n = k; n > 0n; n >>= 1n, p = add(p, p)) if (n & 1n) result = add(result, p)
  return result
}

const equal = ([x1, y1, z1]: Point, [x2, y2, z2]: Point): boolean =>
  mod(x1 * z2 - x2 * z1) === 0n && mod(y1 * z2 - y2 * z1) === 0n

/** RFC 8032, section 5.1.3. `undefined` where the bytes are no point. */
function decompress(bytes: Uint8Array): Point | undefined {
  const whole = fromBytes(bytes)
  const y = whole & (2n ** 255n - 1n)
  if (y >= P) return undefined
  const [u, v] = [mod(y * y - 1n), mod(D * y * y + 1n)]
  let x = mod(u * power(v, 3n) * power(u * power(v, 7n), (P - 5n) / 8n))
  if (mod(v * x * x) !== u) x = mod(x * SQRT_MINUS_1)
  if (mod(v * x * x) !== u) return undefined
  const sign = whole >> 255n
  if (x === 0n && sign === 1n) return undefined
  if ((x & 1n) !== sign) x = P - x
  return [x, y, 1n, mod(x * y)]
}

const BASE = decompress(toBytes(mod(4n * invert(5n))))!

/** RFC 8032, section 5.1.7, without the cofactor, as common libraries check it. */
export async function ed25519Verify(
  publicKey: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  const [r, s] = [signature.subarray(0, 32), fromBytes(signature.subarray(32))]
  const [a, point] = [decompress(publicKey), decompress(r)]
  if (!a || !point || s >= L) return false
  const hashed = new Uint8Array(64 + message.length)
  hashed.set(r)
  hashed.set(publicKey, 32)
  hashed.set(message, 64)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-512', hashed))
  return equal(multiply(s, BASE), add(point, multiply(mod(fromBytes(digest), L), a)))
}
