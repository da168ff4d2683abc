/**
 * The two faces of Sotto's arithmetic: `Kernels` (synchronous, on the CPU, the online path) and `ProductDevice`
 * (asynchronous, perhaps a GPU, for the owner's input-independent products).
 *
 * Every ring is Z mod 2^bits with 1 <= bits <= 64. Ring elements travel in `BigUint64Array`; a result is always
 * reduced (its bits above `bits` are zero), an argument need not be.
 */

import type { Contraction, ContractionTerm } from './contraction.ts'
import type { Operand, Program, Result } from './program.ts'

/** A right-hand operand kept resident where the kernel wants it (k x n, row major when it was loaded). */
export interface Matrix {
  readonly k: number
  readonly n: number
  /** Gives the memory back. Using the matrix afterwards throws `KernelError`; freeing it twice is harmless. */
  free(): void
}

/** Row-major matrix elements. Signed narrow types are taken mod 2^64 (two's complement). */
export type MatrixData = BigUint64Array | Int32Array | Int16Array | Int8Array

/** How the rows of dealt tables turn with masks: see `Kernels.packRotated`. */
export interface RotationSpec {
  /** There are 2^shift rows, one for what a mask's low bits can be. */
  readonly shift: number
  /** A row's entries, and the words of each. */
  readonly entries: number
  readonly words: number
}

/** Rows kept in the kernels' own memory. Freeing them twice is harmless. */
export interface RotatingRows {
  readonly spec: RotationSpec
  free(): void
}

/** Synchronous CPU kernels: the online path. */
export interface Kernels {
  /** What runs underneath, for logs and the benchmark table. */
  readonly name: string
  /**
   * ChaCha20 keystream (RFC 8439, section 2.4): fills `out` with the bytes of the keystream that start at
   * `byteOffset`. Keeps no state.
   * @param key 32 bytes.
   * @param nonce 12 bytes.
   * @param byteOffset a multiple of 64; block 0 is the block whose counter is 0.
   * @throws KernelError on a wrong length, a misaligned offset, or a counter past 2^32 - 1.
   */
  keystream(key: Uint8Array, nonce: Uint8Array, byteOffset: number, out: Uint8Array): void
  /**
   * Scattered blocks of many keystreams under one key: block i has the counter `places[3i]` and the nonce (stream,
   * `places[3i+1]`, `places[3i+2]`) as little-endian words. 64 bytes a block, one after another.
   */
  blocks(key: Uint8Array, stream: number, places: Uint32Array): Uint8Array
  /** Copies `data` (k x n, row major) into the kernel's own memory. Free the matrix when it is no longer needed. */
  load(data: MatrixData, k: number, n: number): Matrix
  /**
   * The matrix whose element i is keystream u64le word firstWord + i, as `load` would keep it but without passing
   * the words through JavaScript. It may keep only their low bits: use it in rings of at most `bits` bits.
   */
  expand?(key: Uint8Array, nonce: Uint8Array, firstWord: number, k: number, n: number, bits: number): Matrix
  /**
   * a [m x k] times b [k x n] mod 2^bits, as a fresh m x n array. Signed matrix data is taken mod 2^64.
   * @throws KernelError on a shape mismatch, a freed matrix, or a matrix that another instance loaded.
   */
  matmul(a: BigUint64Array, m: number, b: Matrix, bits: number): BigUint64Array
  /** The same product, where the backend has something faster but asynchronous for many rows (prefill). */
  matmulAsync?(a: BigUint64Array, m: number, b: Matrix, bits: number): Promise<BigUint64Array>
  /**
   * Element i occupies bits [i*bits, (i+1)*bits) of the result, little-endian; spare bits of the last byte are
   * zero. Values are masked to `bits` first.
   */
  pack(values: BigUint64Array, bits: number): Uint8Array
  /** The inverse of `pack`; `bytes` must be exactly ceil(count*bits/8) long, spare bits are ignored. */
  unpack(bytes: Uint8Array, bits: number, count: number): BigUint64Array
  /**
   * `pack` of values - words mod 2^bits. `words` are little-endian words of one width (1, 2, 4 or 8 bytes), one a
   * value: a keystream as it comes.
   */
  packDifference(values: BigUint64Array, words: Uint8Array, bits: number): Uint8Array
  /**
   * Copies rows of tables, 2^shift x (entries x words) mod 2^64, into the kernels' own memory. Free them when they are no
   * longer needed.
   */
  keepRotating(rows: BigUint64Array, spec: RotationSpec): RotatingRows
  /**
   * `packDifference` of one row for each mask less `words`, written to `out`: the row of the mask's low `shift` bits, from
   * the entry that its high bits say on, and then the entries before that.
   * @throws KernelError where a mask has no row, `out` is too short, or others keep the rows or nobody does any more.
   */
  packRotated(rows: RotatingRows, masks: Uint32Array, words: Uint8Array, bits: number, out: Uint8Array): void
  /**
   * For each n of the samples the n sums over j of matrix[k n + j] times sample j, times `scale`, rounded as Math.round
   * does, mod 2^64. In float64, added up from j = 0 on, so that all kernels agree to the last bit; results are within
   * +-2^62.
   */
  transformed(samples: Float64Array, matrix: Float64Array, n: number, scale: number): BigUint64Array
  /**
   * The sum over terms of attention's products, all heads at once, mod 2^64. `scores`: queries (rows x heads * headDim)
   * by keys (positions x kvHeads * headDim), to pairs x heads: every row's positions in their order. `mix`: weights
   * (pairs x heads) by values, to rows x heads * headDim.
   * @throws KernelError on operands of another size.
   */
  contract(kind: 'scores' | 'mix', terms: readonly ContractionTerm[], o: Contraction): BigUint64Array
  /**
   * Runs a program over `count` elements: one array for each of its outputs.
   * @throws KernelError where an operand is not as long as the program needs it for so many elements.
   */
  evaluate<R extends readonly Result[]>(p: Program<R>, operands: readonly Operand[], count: number): R
  /** Dealt polynomials at public points, `groups` of them a point, point by point, mod 2^64. */
  polynomials(points: BigUint64Array, words: BigUint64Array, o: PolynomialSpec): BigUint64Array
}

/**
 * How coefficients stand in the words of `Kernels.polynomials`, and where they are taken: the sum over k < n of
 * coefficient k times round(T_k(2 delta - 1) 2^scale), with delta = (point mod 2^shift) / 2^shift. Each point has
 * words.length / points.length words, those of its groups first.
 */
export interface PolynomialSpec {
  /** Words of a polynomial. */
  readonly n: number
  readonly groups: number
  /** At most 53. */
  readonly shift: number
  /** At most 50. */
  readonly scale: number
}

/**
 * Where the secret stationary operand F of an owner comes from: element i = keystream u64le[i] mod 2^bits,
 * k x n row major. A nonce is u32le stream id, then u64le serial (12 bytes).
 */
export interface StationarySpec {
  key: Uint8Array
  nonce: Uint8Array
  k: number
  n: number
  bits: number
}

/** Where the rows of the input-independent product come from: all from one key, by stream id and serial. */
export interface ProductSpec {
  /** Row key, 32 bytes. */
  key: Uint8Array
  firstSerial: bigint
  rows: number
  /**
   * Stream id of the multiplicand x [rows x k], mod 2^bits: row r is the keystream of nonce(a, firstSerial + r), element j
   * its u64le word j.
   */
  a: number
  /** Stream id of the additive mask (n words a row), mod 2^bits. */
  c: number
}

/** F as the device keeps it. */
export interface Stationary {
  readonly spec: StationarySpec
  free(): void
}

/**
 * Asynchronous device for the owner's input-independent products y = (x·F + c) mod 2^bits, rows x n.
 * A product is a pure function of its two specs, so after a loss the caller may repeat it elsewhere and get the
 * same bytes: no mask is used twice for different values.
 */
export interface ProductDevice {
  readonly name: string
  /** Kernel dispatches executed so far. */
  readonly dispatches: number
  stationary(spec: StationarySpec): Promise<Stationary>
  /** @throws KernelError if the device was lost, F was freed, or a spec is malformed. */
  product(f: Stationary, spec: ProductSpec): Promise<BigUint64Array>
  /** Resolves with the reason if the device is ever lost; never rejects. */
  lost: Promise<string>
}
