/** The field of 2^32 elements: words of 32 bits, whose sum is their exclusive or. */
import type { Lanes } from '../../ring.ts'

/** Bits of an element. */
export const WORD_BITS = 32
/** x^32 + x^7 + x^3 + x^2 + 1 less its first term, which is irreducible (Seroussi, HPL-98-135). */
const REDUCTION = 0x8d

/** a·b. */
export function fieldProduct(a: number, b: number): number {
  let product = 0
  // All bits take the same steps, whatever they are.
  for (let i = WORD_BITS - 1; i >= 0; i--) {
    product = (product << 1) ^ (-(product >>> 31) & REDUCTION)
    product ^= -((b >>> i) & 1) & a
  }
  return product >>> 0
}

/** Elements as lanes of single bits, lowest first. */
export function bitsOf(words: Uint32Array): Lanes {
  const out = new BigUint64Array(WORD_BITS * words.length)
  // The low halves of lanes, which hold a bit.
  const halves = new Uint32Array(out.buffer)
  for (let i = 0; i < out.length; i++) halves[2 * i] = (words[i >>> 5] >>> (i & 31)) & 1
  return out
}

/** The elements that lanes of single bits hold. */
export function wordsOf(bits: Lanes): Uint32Array {
  const out = new Uint32Array(bits.length / WORD_BITS)
  const halves = new Uint32Array(bits.buffer, bits.byteOffset, 2 * bits.length)
  for (let i = 0; i < bits.length; i++) out[i >>> 5] |= (halves[2 * i] & 1) << (i & 31)
  return out
}
