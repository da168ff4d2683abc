/** Numbers as checkpoints store them, in rows of bytes. */
import { fromBfloat, fromHalf, toHalf } from '../../src/model/files/float16.ts'

/** F64 is not common, but some converters write it. */
export type WordType = 'F16' | 'BF16' | 'F32' | 'F64'

/** Bytes of a number. */
export const wordBytes: Readonly<Record<WordType, number>> = { F16: 2, BF16: 2, F32: 4, F64: 8 }

/** Floats of every 16-bit word. */
const widened: Partial<Record<WordType, Float32Array>> = {}

/** Stored numbers as the memory of a machine has them: all that run Node are little-endian, as the format is. */
export type Words = Uint16Array | Float32Array | Float64Array

/** Whole numbers of `bytes`, which begin at a multiple of their size. */
export function wordsOf(type: WordType, bytes: Uint8Array<ArrayBuffer>): Words {
  const kind = type === 'F64' ? Float64Array : type === 'F32' ? Float32Array : Uint16Array
  return new kind(bytes.buffer, bytes.byteOffset, bytes.length / wordBytes[type])
}

/** out[i step] = factor times word `from` + i, for `count` of them. */
export function widen(
  type: WordType,
  words: Words,
  from: number,
  count: number,
  factor: number,
  out: Float64Array,
  at: number,
  step: number,
): void {
  if (type === 'F32' || type === 'F64')
    for (let i = 0, o = at; i < count; i++, o += step) out[o] = factor * words[from + i]
  else {
    const table = tableOf(type)
    for (let i = 0, o = at; i < count; i++, o += step) out[o] = factor * table[words[from + i]]
  }
}

function tableOf(type: 'F16' | 'BF16'): Float32Array {
  widened[type] ??= Float32Array.from({ length: 1 << 16 }, (_, word) =>
    (type === 'F16' ? fromHalf : fromBfloat)(word),
  )
  return widened[type]
}

const single = new Float32Array(1)
const bits = new Uint32Array(single.buffer)

/**
 * Stores `count` numbers x[at + i step], rounded to nearest, as words from `to` on. Returns how many it can't hold: they
 * are infinite, or no numbers.
 */
export function narrow(
  type: WordType,
  x: Float64Array | Float32Array,
  at: number,
  step: number,
  count: number,
  words: Words,
  to: number,
): number {
  let lost = 0
  if (type === 'F32' || type === 'F64')
    for (let i = 0, o = at; i < count; i++, o += step) {
      words[to + i] = x[o]
      if (!Number.isFinite(words[to + i])) lost++
    }
  else if (type === 'BF16')
    for (let i = 0, o = at; i < count; i++, o += step) {
      single[0] = x[o]
      const word = (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) >>> 16
      words[to + i] = word
      if ((word & 0x7f80) === 0x7f80) lost++
    }
  else
    for (let i = 0, o = at; i < count; i++, o += step) {
      single[0] = x[o]
      const float = bits[0]
      const size = float & 0x7fffffff
      // From the smallest normal half up to the largest finite one; a carry moves into the exponent.
      const word =
        size >= 0x38800000 && size < 0x477ff000
          ? ((float >>> 16) & 0x8000) | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13)
          : toHalf(x[o])
      words[to + i] = word
      if ((word & 0x7c00) === 0x7c00) lost++
    }
  return lost
}
