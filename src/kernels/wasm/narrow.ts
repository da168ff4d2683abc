import type { MatrixData } from '../kernels.ts'

/** Bytes per element at rest. */
export type Width = 1 | 2 | 4 | 6 | 8

/** Bytes at rest of elements of a ring, where nothing else is known of them; 6 as long as products are faster for it. */
export const ringWidth = (bits: number): 2 | 4 | 6 | 8 =>
  bits <= 16 ? 2 : bits <= 32 ? 4 : bits <= 44 ? 6 : 8

/** The narrowest signed type a matrix fits, and the constant taken off every element to make it fit. */
export interface Narrow {
  width: Width
  bias: bigint
}

/**
 * Finds how narrow `data` can rest. A masked matrix of a 32-bit ring given as u64 is 0..2^32-1: less 2^31 it is
 * i32, half the memory and a faster product; less than 48 bits take six bytes. The product adds bias * (sum of a's row) back. The time of a product
 * tells how wide the matrix is: load public or masked data, not small secrets.
 */
export function narrowest(data: MatrixData): Narrow {
  if (!(data instanceof BigUint64Array)) return { width: data.BYTES_PER_ELEMENT as Width, bias: 0n }
  const words = new Int32Array(data.buffer, data.byteOffset, data.length * 2)
  let signed = true
  let unsigned = true
  let spread = 0
  for (let i = 0; i < words.length; i += 2) {
    const low = words[i]
    const high = words[i + 1]
    if (high !== (high << 16) >> 16) return { width: 8, bias: 0n }
    if (high !== 0) unsigned = false
    if (high !== low >> 31) signed = false
    // bits that differ from the sign: how many the signed type needs
    spread |= signed ? low ^ (low >> 31) : low
  }
  if (!signed && !unsigned) return { width: 6, bias: 0n }
  if (signed) return { width: fits(spread, 7) ? 1 : fits(spread, 15) ? 2 : 4, bias: 0n }
  spread = 0
  for (let i = 0; i < words.length; i += 2) spread |= words[i]
  if (fits(spread, 8)) return { width: 1, bias: 1n << 7n }
  if (fits(spread, 16)) return { width: 2, bias: 1n << 15n }
  return { width: 4, bias: 1n << 31n }
}

function fits(value: number, bits: number): boolean {
  return value >>> bits === 0
}

/** Copies elements from..to of `data`, less the bias, to `out` (of the width's signed type). */
export function copyNarrow(
  data: MatrixData,
  from: number,
  to: number,
  bias: bigint,
  out: BigUint64Array | Int32Array | Int16Array | Int8Array,
): void {
  if (data.BYTES_PER_ELEMENT === out.BYTES_PER_ELEMENT) {
    // same width: u64 to u64, or one signed type to itself
    ;(out as Int32Array).set((data as Int32Array).subarray(from, to))
    return
  }
  const less = Number(BigInt.asIntN(32, bias))
  const target = out as Int32Array
  const low = new Int32Array(data.buffer, data.byteOffset, data.length * 2)
  for (let i = from, j = 0; i < to; i++, j++) target[j] = low[2 * i] - less
}
