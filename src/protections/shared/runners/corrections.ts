import type { Kernels } from '../../../kernels/kernels.ts'
import type { DealtRotations, DealtRows } from '../dealt.ts'

/** Writes the corrections of `n` elements from `first` on: their true values less the keystream, packed. */
export type Packer = (first: number, n: number, keystream: Uint8Array, out: Uint8Array) => void

/** How a slot's tables, of `per` values each, become corrections. */
export function packerOf(
  kernels: Kernels,
  value: DealtRows | DealtRotations,
  per: number,
  bits: number,
): Packer {
  if ('masks' in value) {
    const { masks } = value
    // Asked for each time: between two parts another session may have had rows added to them.
    return (first, n, words, out) =>
      kernels.packRotated(value.kept(kernels), masks.subarray(first, first + n), words, bits, out)
  }
  let values = new BigUint64Array()
  return (first, n, words, out) => {
    if (values.length < n * per) values = new BigUint64Array(n * per)
    const own = values.subarray(0, n * per)
    value.fill(first, n, own)
    out.set(kernels.packDifference(own, words, bits))
  }
}

/** bytes = value - bytes, each mod 2^8; four at a time, the top bits apart so that none borrows from its neighbour. */
export function subtractBytes(value: number, bytes: Uint8Array): void {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
  const all = value * 0x01010101
  const raised = all | 0x80808080
  for (let i = 0; i < words.length; i++) {
    const b = words[i]
    words[i] = (raised - (b & 0x7f7f7f7f)) ^ (~(all ^ b) & 0x80808080)
  }
  for (let i = 4 * words.length; i < bytes.length; i++) bytes[i] = value - bytes[i]
}
