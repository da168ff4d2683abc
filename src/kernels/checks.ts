import { demand } from './error.ts'
import type { Matrix, MatrixData, ProductSpec, StationarySpec } from './kernels.ts'
import { checkBits, checkSize } from './sizes.ts'

/** Arguments of `Kernels.keystream`; the 32-bit block counter of RFC 8439 section 2.3 must not wrap. */
export function checkKeystream(key: Uint8Array, nonce: Uint8Array, byteOffset: number, bytes: number): void {
  demand(key.length === 32, `ChaCha20 key must have 32 bytes, got ${key.length}`)
  demand(nonce.length === 12, `ChaCha20 nonce must have 12 bytes, got ${nonce.length}`)
  checkSize(byteOffset, 'keystream offset')
  demand(byteOffset % 64 === 0, `keystream offset must be a multiple of 64, got ${byteOffset}`)
  demand(byteOffset + bytes <= 2 ** 38, 'keystream request runs past the 32-bit block counter')
}

/** Arguments of `blocks`. */
export function checkBlocks(key: Uint8Array, places: Uint32Array): void {
  demand(key.length === 32, `a key has 32 bytes, not ${key.length}`)
  demand(places.length % 3 === 0, 'a block has a counter and two nonce words')
}

/** Arguments of `Kernels.load`. */
export function checkLoad(data: MatrixData, k: number, n: number): void {
  checkSize(k, 'k')
  checkSize(n, 'n')
  demand(data.length === k * n, `matrix data has ${data.length} elements, expected ${k} x ${n}`)
}

/** Arguments of `Kernels.read`. */
export function checkRead(b: Matrix, from: number, rows: number): void {
  checkSize(from, 'first row')
  checkSize(rows, 'rows')
  demand(from + rows <= b.k, `rows ${from} to ${from + rows} of a matrix of ${b.k}`)
}

/** Arguments of `Kernels.expand`. */
export function checkExpand(
  key: Uint8Array,
  nonce: Uint8Array,
  firstWord: number,
  k: number,
  n: number,
  bits: number,
): void {
  checkBits(bits)
  checkSize(firstWord, 'first word')
  checkSize(k, 'k')
  checkSize(n, 'n')
  checkKeystream(key, nonce, 0, (firstWord + k * n) * 8)
}

/** Arguments of `Kernels.matmul`. */
export function checkMatmul(a: BigUint64Array, m: number, k: number, bits: number): void {
  checkBits(bits)
  checkSize(m, 'm')
  demand(a.length === m * k, `left operand has ${a.length} elements, expected ${m} x ${k}`)
}

/** A `StationarySpec` from the caller. */
export function checkStationary(spec: StationarySpec): void {
  checkBits(spec.bits)
  checkSize(spec.k, 'k')
  checkSize(spec.n, 'n')
  checkKeystream(spec.key, spec.nonce, 0, spec.k * spec.n * 8)
}

/** A `ProductSpec` from the caller. */
export function checkProduct(spec: ProductSpec): void {
  checkSize(spec.rows, 'rows')
  demand(spec.key.length === 32, `row key must have 32 bytes, got ${spec.key.length}`)
  for (const stream of [spec.a, spec.c]) {
    demand(stream === stream >>> 0, `stream id must fit 32 bits, got ${stream}`)
  }
  const last = spec.firstSerial + BigInt(spec.rows)
  demand(spec.firstSerial >= 0n && last <= 1n << 64n, 'row serials must fit 64 bits')
}

/** The 12-byte nonce of one row: u32le stream id, u64le serial. */
export function rowNonce(stream: number, serial: bigint): Uint8Array {
  const nonce = new Uint8Array(12)
  const view = new DataView(nonce.buffer)
  view.setUint32(0, stream, true)
  view.setBigUint64(4, serial, true)
  return nonce
}
