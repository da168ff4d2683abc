/**
 * The two faces of Sotto's arithmetic: `Kernels` (synchronous, on the CPU, the online path) and `ProductDevice`
 * (asynchronous, perhaps a GPU, for the owner's input-independent products).
 *
 * Every ring is Z mod 2^bits with 1 <= bits <= 64. Ring elements travel in `BigUint64Array`; a result is always
 * reduced (its bits above `bits` are zero), an argument need not be.
 */

import type { ContractionKernels } from './contraction.ts'
import type { PackingKernels } from './packing.ts'
import type { PolynomialKernels } from './polynomials.ts'
import type { ProgramKernels } from './program.ts'
import type { RotationKernels } from './rotated.ts'
import type { TransformKernels } from './transformed.ts'

/** A right-hand operand kept resident where the kernel wants it (k x n, row major when it was loaded). */
export interface Matrix {
  readonly k: number
  readonly n: number
  /** Gives the memory back. Using the matrix afterwards throws `KernelError`; freeing it twice is harmless. */
  free(): void
}

/**
 * Row-major matrix elements. Signed narrow types are taken mod 2^64 (two's complement); every backend keeps them as
 * narrow as they are, or narrower: a matrix of signs times a scale for each column may rest as bits.
 */
export type MatrixData = BigUint64Array | Int32Array | Int16Array | Int8Array

/**
 * What the steps of a plan compute with. A kernel that one operation needs has a file of its own here and in each
 * backend, with its interface and the check of its arguments; it is registered by a line here and by one in each
 * backend.
 */
export interface OpKernels
  extends PackingKernels,
    TransformKernels,
    ContractionKernels,
    ProgramKernels,
    PolynomialKernels {}

/** Synchronous CPU kernels: the online path, keystreams and resident matrices included. */
export interface Kernels extends OpKernels, RotationKernels {
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
  /** So many blocks one after another, by `keystream`, take about as long as a scattered one, at most. */
  readonly blocksInARow: number
  /** Copies `data` (k x n, row major) into the kernel's own memory. Free the matrix when it is no longer needed. */
  load(data: MatrixData, k: number, n: number): Matrix
  /**
   * Elements of `rows` rows of a loaded matrix from row `from` on, mod 2^64, row major.
   * @throws KernelError where the matrix has no such rows, was freed, or was loaded by another instance.
   */
  read(b: Matrix, from: number, rows: number): BigUint64Array
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
  /** `matmul` where the backend has something faster but asynchronous for many rows (prefill). */
  matmulAsync?(a: BigUint64Array, m: number, b: Matrix, bits: number): Promise<BigUint64Array>
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
   * Stream id of the multiplicand x [rows x k], mod 2^bits: row r is the keystream of nonce(a, firstSerial + r),
   * element j its u64le word j.
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
