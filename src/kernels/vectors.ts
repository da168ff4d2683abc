import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import type { ProductSpec, StationarySpec } from './kernels.ts'

/** A product of matrices with its answer. */
export interface Matmul {
  bits: number
  m: number
  k: number
  n: number
  type: 'i8' | 'i16' | 'i32' | 'u64'
  a: string
  b: string
  y: string
}

/**
 * Known answers of every kernel, made by the oracle (`oracle/vectors.ts`), kept in `vectors.json` and checked by
 * the Node tests, the browser test and the start-up test of GPU devices. Arrays are hex of their little-endian
 * bytes: u64 words where not said otherwise.
 */
export interface Vectors {
  version: 1
  /** `out`: bytes of the keystream from `offset`. */
  keystream: { key: string; nonce: string; offset: number; out: string }[]
  /** `values` may exceed `bits`; `bytes`: bytes. */
  pack: { bits: number; values: string; bytes: string }[]
  /** y = a · b mod 2^bits; `b` holds words, or narrower elements of `type`. */
  matmul: Matmul[]
  matmulOfNarrow: Matmul[]
  /** sum = (y + both parts) mod 2^bits; `parts` is two arrays, one after the other. */
  add: { bits: number; y: string; parts: string; sum: string }[]
  /** `first`: the first word of y; `digest`: of all of it. */
  product: {
    f: Omit<StationarySpec, 'key' | 'nonce'> & { key: string; nonce: string }
    spec: Omit<ProductSpec, 'key' | 'firstSerial'> & { key: string; firstSerial: string }
    first: string
    digest: string
  }[]
}

/** u64le words of a whole number of them. */
export function toWords(bytes: Uint8Array): BigUint64Array<ArrayBuffer> {
  return new BigUint64Array(bytes.slice().buffer)
}

/** Words of a hex string. */
export function hexWords(hex: string): BigUint64Array<ArrayBuffer> {
  return toWords(hexToBytes(hex))
}

/** Hexadecimal of the words as they lie in memory, little endian. */
export function wordsHex(words: BigUint64Array): string {
  return bytesToHex(new Uint8Array(words.buffer, words.byteOffset, words.byteLength))
}

/** FNV-1a over 64-bit words: tells arrays apart, authenticates nothing. */
export function digest(words: BigUint64Array): string {
  let hash = 0xcbf29ce484222325n
  for (const word of words) hash = BigInt.asUintN(64, (hash ^ word) * 0x100000001b3n)
  return hash.toString(16)
}

/** Specs of a product vector. */
export function productOf(vector: Vectors['product'][number]): [StationarySpec, ProductSpec] {
  const { f, spec } = vector
  return [
    { ...f, key: hexToBytes(f.key), nonce: hexToBytes(f.nonce) },
    { ...spec, key: hexToBytes(spec.key), firstSerial: BigInt(spec.firstSerial) },
  ]
}
