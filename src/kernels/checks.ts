import { demand, KernelError } from './error.ts'
import type { MatrixData, PolynomialSpec, ProductSpec, RotationSpec, StationarySpec } from './kernels.ts'
import { checkBits, checkSize, packedBytes } from './sizes.ts'

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

/** Arguments of `Kernels.unpack`. */
export function checkUnpack(bytes: Uint8Array, bits: number, count: number): void {
  checkBits(bits)
  checkSize(count, 'count')
  const want = packedBytes(count, bits)
  demand(bytes.length === want, `${count} values of ${bits} bits need ${want} bytes, got ${bytes.length}`)
}

/** Arguments of `Kernels.packDifference`; the width of a word. */
export function checkDifference(values: BigUint64Array, words: Uint8Array, bits: number): number {
  checkBits(bits)
  const width = values.length === 0 ? 8 : words.length / values.length
  demand([1, 2, 4, 8].includes(width), `${words.length} bytes are no words for ${values.length} values`)
  return width
}

/** Arguments of `Kernels.keepRotating`; the words of a row. */
export function checkRotating(rows: BigUint64Array, { shift, entries, words }: RotationSpec): number {
  demand(Number.isInteger(shift) && shift >= 0 && shift <= 31, `no row for each of ${shift} bits of a mask`)
  demand(entries >= 1 && words >= 1, `no table of ${entries} x ${words} words`)
  const per = entries * words
  demand(rows.length === 2 ** shift * per, `${rows.length} words for 2^${shift} rows of ${per}`)
  return per
}

/** Arguments of `Kernels.packRotated`; the bytes of a keystream word. */
export function checkRotated(
  { shift, entries, words: n }: RotationSpec,
  masks: Uint32Array,
  words: Uint8Array,
  bits: number,
  out: Uint8Array,
): 1 | 2 | 4 | 8 {
  checkBits(bits)
  const values = masks.length * entries * n
  const width = values === 0 ? 8 : words.length / values
  demand(
    width === 1 || width === 2 || width === 4 || width === 8,
    `${words.length} bytes are no words for ${values} values`,
  )
  demand(out.length === packedBytes(values, bits), `${values} values of ${bits} bits in ${out.length} bytes`)
  const end = 2 ** shift * entries
  for (let i = 0; i < masks.length; i++)
    if (masks[i] >= end) throw new KernelError(`mask ${masks[i]} has no row`)
  return width
}

/** Arguments of `Kernels.transformed`. */
export function checkTransformed(samples: Float64Array, matrix: Float64Array, n: number): void {
  demand(Number.isInteger(n) && n >= 1, `samples by ${n}`)
  demand(matrix.length === n * n, `a matrix of ${matrix.length} elements for ${n} samples`)
  demand(samples.length % n === 0, `${samples.length} samples by ${n}`)
}

/** Arguments of `Kernels.polynomials`; the words of a point. */
export function checkPolynomials(points: BigUint64Array, words: BigUint64Array, o: PolynomialSpec): number {
  const { n, groups, shift, scale } = o
  const stride = points.length === 0 ? n * groups : words.length / points.length
  demand(
    Number.isInteger(stride) && stride >= n * groups,
    `${words.length} words for ${points.length} points`,
  )
  demand(n >= 1 && groups >= 1 && shift >= 0 && shift <= 53, `no polynomial of ${n} words at ${shift} bits`)
  demand(Number.isInteger(scale) && scale >= 0 && scale <= 50, `${scale} bits of scale`)
  return stride
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
