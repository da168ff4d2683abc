import { demand, KernelError } from '../error.ts'
import type { Matrix, MatrixData } from '../kernels.ts'
import type { Ring } from './module.ts'
import { copyNarrow, narrowest, type Width } from './narrow.ts'

const TYPES = { 1: Int8Array, 2: Int16Array, 4: Int32Array, 8: BigUint64Array } as const
/** Rows go through the scratch space in pieces of about this many bytes, so loading costs no second copy. */
const PIECE = 1 << 18

/** A matrix in panels inside the module's memory (assembly/panels.ts). */
export class WasmMatrix implements Matrix {
  readonly ring: Ring
  readonly k: number
  readonly n: number
  readonly width: Width
  readonly bias: bigint
  #at: number

  /** Room for a k x n matrix, all zero; `loadMatrix` and `expandMatrix` fill it. */
  constructor(ring: Ring, k: number, n: number, width: Width, bias: bigint) {
    this.ring = ring
    this.k = k
    this.n = n
    this.width = width
    this.bias = bias
    const rows = width <= 2 ? k + (k & 1) : k
    const size = rows * this.stride * width
    this.#at = ring.arena.alloc(size)
    new Uint8Array(ring.arena.memory.buffer, this.#at, size).fill(0)
  }

  /** Columns per panel. */
  get columns(): number {
    return this.width === 8 ? 4 : 8
  }

  get panels(): number {
    return Math.ceil(this.n / this.columns)
  }

  /** Columns with padding: u64 words in one row of a raw product. */
  get stride(): number {
    return this.panels * this.columns
  }

  /** Address of the panels. */
  get address(): number {
    // asked for again after every await, where the caller may have freed it
    if (this.#at === 0) throw new KernelError('the matrix was freed')
    return this.#at
  }

  free(): void {
    if (this.#at !== 0) this.ring.arena.free(this.#at)
    this.#at = 0
  }

  /**
   * The lowest `planes` byte planes of rows from .. from + count, one below the other, as signed bytes:
   * matrix = planeBias + sum of plane q * 2^(8q) over q < width, mod 2^64.
   */
  planes(planes: number, from: number, count: number): Int8Array {
    const { ring, k, n, width, address } = this
    const out = new Int8Array(planes * count * n)
    const rows = rowsPerPiece(n, 1)
    const scratch = ring.arena.alloc(Math.min(rows, count) * n)
    for (let q = 0; q < planes; q++)
      for (let row = 0; row < count; row += rows) {
        const piece = Math.min(rows, count - row)
        ring.x.gatherPlane(address, width, q, from + row, piece, k, n, scratch)
        out.set(new Int8Array(ring.arena.memory.buffer, scratch, piece * n), (q * count + row) * n)
      }
    ring.arena.free(scratch)
    return out
  }

  /** What the planes leave out: this matrix's bias, and 128 for each byte below the highest. */
  get planeBias(): bigint {
    let sum = this.bias
    for (let q = 0n; q < this.width - 1; q++) sum += 128n << (8n * q)
    return BigInt.asUintN(64, sum)
  }
}

/** Rows that fit a piece of the scratch space, at `bytes` bytes an element. */
function rowsPerPiece(n: number, bytes: number): number {
  return Math.max(1, Math.floor(PIECE / Math.max(1, n * bytes)))
}

/** The caller's data as a matrix at rest, as narrow as its values allow. */
export function loadMatrix(ring: Ring, data: MatrixData, k: number, n: number): WasmMatrix {
  const { width, bias } = narrowest(data)
  const { x, arena } = ring
  const matrix = new WasmMatrix(ring, k, n, width, bias)
  const scatter = { 1: x.scatter8, 2: x.scatter16, 4: x.scatter32, 8: x.scatter64 }[width]
  const rows = rowsPerPiece(n, width)
  const scratch = arena.alloc(Math.min(rows, k) * n * width)
  for (let row = 0; row < k; row += rows) {
    const count = Math.min(rows, k - row)
    const piece = new TYPES[width](arena.memory.buffer, scratch, count * n)
    copyNarrow(data, row * n, (row + count) * n, bias, piece)
    scatter(scratch, matrix.address, row, count, k, n)
  }
  arena.free(scratch)
  return matrix
}

/** See `Kernels.expand`: keystream words go to rest without leaving the module. */
export function expandMatrix(
  ring: Ring,
  key: Uint8Array,
  nonce: Uint8Array,
  firstWord: number,
  k: number,
  n: number,
  bits: number,
): WasmMatrix {
  const { x, arena } = ring
  const width = bits <= 16 ? 2 : bits <= 32 ? 4 : 8
  const matrix = new WasmMatrix(ring, k, n, width, 0n)
  const scatter = { 2: x.narrow16, 4: x.narrow32, 8: x.scatter64 }[width]
  const rows = Math.min(k, rowsPerPiece(n, 8))
  // up to seven words before the first one, because blocks have eight; whole groups of four blocks
  const scratch = arena.alloc(64 + Math.ceil((rows * n + 7) / 32) * 256)
  const state = new Uint8Array(arena.memory.buffer, scratch, 44)
  state.set(key)
  state.set(nonce, 32)
  for (let row = 0; row < k && n > 0; row += rows) {
    const count = Math.min(rows, k - row)
    const word = firstWord + row * n
    const skip = word % 8
    x.chacha20(scratch, (word - skip) / 8, scratch + 64, Math.ceil((skip + count * n) / 32))
    scatter(scratch + 64 + skip * 8, matrix.address, row, count, k, n)
  }
  state.fill(0)
  arena.free(scratch)
  return matrix
}

/** The caller's matrix, if it is a live one of this instance's. */
export function ownMatrix(ring: Ring, b: Matrix): WasmMatrix {
  demand(b instanceof WasmMatrix && b.ring === ring, 'the matrix was loaded by other kernels')
  demand(b.address !== 0, 'the matrix was freed')
  return b
}
