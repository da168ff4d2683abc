import { widened } from '../lanes.ts'
import { checkDifference, checkUnpack, type PackingKernels } from '../packing.ts'
import { checkBits, packedBytes } from '../sizes.ts'

function pack(values: BigUint64Array, bits: number): Uint8Array {
  checkBits(bits)
  const out = new Uint8Array(packedBytes(values.length, bits))
  for (let at = 0; at < values.length * bits; at++) {
    const bit = (values[Math.floor(at / bits)] >> BigInt(at % bits)) & 1n
    out[at >> 3] |= Number(bit) << (at & 7)
  }
  return out
}

/** Packed bits, one bit at a time. */
export const oraclePacking: PackingKernels = {
  pack,
  unpack(bytes, bits, count) {
    checkUnpack(bytes, bits, count)
    const out = new BigUint64Array(count)
    for (let at = 0; at < count * bits; at++) {
      const bit = (bytes[at >> 3] >> (at & 7)) & 1
      out[Math.floor(at / bits)] |= BigInt(bit) << BigInt(at % bits)
    }
    return out
  },
  packDifference(values, words, bits) {
    const width = checkDifference(values, words, bits)
    const less = widened(values).map((v, i) => {
      let word = 0n
      for (let b = width - 1; b >= 0; b--) word = (word << 8n) | BigInt(words[i * width + b])
      return BigInt.asUintN(64, v - word)
    })
    return pack(less, bits)
  },
}
