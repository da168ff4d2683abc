import { demand } from '../checks.ts'
import { KernelError, type Matrix, type MatrixData } from '../kernels.ts'
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
  private at: number

  constructor(ring: Ring, data: MatrixData, k: number, n: number) {
    this.ring = ring
    this.k = k
    this.n = n
    const { width, bias } = narrowest(data)
    this.width = width
    this.bias = bias
    const rows = width <= 2 ? k + (k & 1) : k
    const size = rows * this.stride * width
    this.at = ring.arena.alloc(size)
    new Uint8Array(ring.arena.memory.buffer, this.at, size).fill(0)
    if (k > 0 && n > 0) this.fill(data)
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
    if (this.at === 0) throw new KernelError('the matrix was freed')
    return this.at
  }

  free(): void {
    if (this.at !== 0) this.ring.arena.free(this.at)
    this.at = 0
  }

  /**
   * Byte plane q (0 is the lowest) as signed bytes, k x n row major:
   * matrix = planeBias + sum of plane q * 2^(8q) over q < width, mod 2^64.
   */
  plane(q: number): Int8Array {
    const { ring, k, n, width, address } = this
    const out = new Int8Array(k * n)
    const rows = Math.max(1, Math.floor(PIECE / Math.max(n, 1)))
    const scratch = ring.arena.alloc(rows * n)
    for (let row = 0; row < k; row += rows) {
      const count = Math.min(rows, k - row)
      ring.x.gatherPlane(address, width, q, row, count, k, n, scratch)
      out.set(new Int8Array(ring.arena.memory.buffer, scratch, count * n), row * n)
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

  private fill(data: MatrixData): void {
    const { ring, k, n, width } = this
    const { x, arena } = ring
    const scatter = { 1: x.scatter8, 2: x.scatter16, 4: x.scatter32, 8: x.scatter64 }[width]
    const rows = Math.max(1, Math.floor(PIECE / (n * width)))
    const scratch = arena.alloc(Math.min(rows, k) * n * width)
    for (let row = 0; row < k; row += rows) {
      const count = Math.min(rows, k - row)
      const piece = new TYPES[width](arena.memory.buffer, scratch, count * n)
      copyNarrow(data, row * n, (row + count) * n, this.bias, piece)
      scatter(scratch, this.at, row, count, k, n)
    }
    arena.free(scratch)
  }
}

/** The caller's matrix, if it is a live one of this instance's. */
export function ownMatrix(ring: Ring, b: Matrix): WasmMatrix {
  demand(b instanceof WasmMatrix && b.ring === ring, 'the matrix was loaded by other kernels')
  demand(b.address !== 0, 'the matrix was freed')
  return b
}
