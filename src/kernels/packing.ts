import { demand } from './error.ts'
import { type LaneArray, widthOf } from './lanes.ts'
import { checkBits, checkSize, packedBytes } from './sizes.ts'

/** Ring elements to packed bits, as they travel, and back. */
export interface PackingKernels {
  /**
   * Element i occupies bits [i*bits, (i+1)*bits) of the result, little-endian; spare bits of the last byte are
   * zero. Values are masked to `bits` first.
   */
  pack(values: BigUint64Array, bits: number): Uint8Array
  /** The inverse of `pack`; `bytes` must be exactly ceil(count*bits/8) long, spare bits are ignored. */
  unpack(bytes: Uint8Array, bits: number, count: number): BigUint64Array
  /**
   * `pack` of values - words mod 2^bits, of lanes of at least `bits` bits. `words` are little-endian words of one width (1, 2, 4 or 8 bytes), one a
   * value: a keystream as it comes.
   */
  packDifference(values: LaneArray, words: Uint8Array, bits: number): Uint8Array
}

/** Arguments of `PackingKernels.unpack`. */
export function checkUnpack(bytes: Uint8Array, bits: number, count: number): void {
  checkBits(bits)
  checkSize(count, 'count')
  const want = packedBytes(count, bits)
  demand(bytes.length === want, `${count} values of ${bits} bits need ${want} bytes, got ${bytes.length}`)
}

/** Arguments of `PackingKernels.packDifference`; the width of a word. */
export function checkDifference(values: LaneArray, words: Uint8Array, bits: number): number {
  checkBits(bits)
  demand(bits <= widthOf(values), `lanes of ${widthOf(values)} bits do not hold ${bits}`)
  const width = values.length === 0 ? 8 : words.length / values.length
  demand([1, 2, 4, 8].includes(width), `${words.length} bytes are no words for ${values.length} values`)
  return width
}
