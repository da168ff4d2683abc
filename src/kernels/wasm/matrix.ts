import { demand, KernelError } from '../error.ts'
import type { Matrix, MatrixData } from '../kernels.ts'
import type { Ring } from './module.ts'
import { copyNarrow, narrowest, ringWidth, type Width } from './narrow.ts'

const TYPES = { 1: Int8Array, 2: Int16Array, 4: Int32Array, 6: BigUint64Array, 8: BigUint64Array } as const
/** Rows go through the scratch space in pieces of about this many bytes, so loading costs no second copy. */
const PIECE = 1 << 18

/** A matrix in panels inside the module's memory (assembly/panels.ts). */
export class WasmMatrix implements Matrix {
  readonly ring: Ring
  readonly k: number
  readonly n: number
  readonly width: Width
  /** What was taken off every element. */
  readonly bias: bigint
  #at: number
  #reach: number | undefined

  /** Room for a k x n matrix, all zero; `loadMatrix` and `expandMatrix` fill it. */
  constructor(ring: Ring, k: number, n: number, width: Width, bias: bigint) {
    this.ring = ring
    this.k = k
    this.n = n
    this.width = width
    this.bias = bias
    const size = this.#rows * this.stride * width
    this.#at = ring.arena.alloc(size)
    new Uint8Array(ring.arena.memory.buffer, this.#at, size).fill(0)
  }

  /** Columns per panel. */
  get columns(): number {
    return this.width === 8 ? 4 : 8
  }

  /** Groups of columns that lie together. */
  get panels(): number {
    return Math.ceil(this.n / this.columns)
  }

  /** Columns with padding: u64 words in one row of a raw product. */
  get stride(): number {
    return this.panels * this.columns
  }

  /** Rows with padding. */
  get #rows(): number {
    return this.width < 8 ? this.k + (this.k & 1) : this.k
  }

  /** Address of the panels. */
  get address(): number {
    // asked for again after every await, where the caller may have freed it
    if (this.#at === 0) throw new KernelError('the matrix was freed')
    return this.#at
  }

  get isLive(): boolean {
    return this.#at !== 0
  }

  free(): void {
    if (this.#at !== 0) this.ring.arena.free(this.#at)
    this.#at = 0
  }

  /** What is missing of every element at rest: the bias, and half a limb for each but the highest (assembly/panels.ts). */
  get restBias(): bigint {
    const halves = { 1: 0n, 2: 0n, 4: 0x8000n, 6: 0x80008000n, 8: 0n }
    return this.bias + halves[this.width]
  }

  /** Bits that the widest element needs once the bias is off, its sign included: at most 8 * width. */
  get reach(): number {
    if (this.#reach === undefined) {
      let bits = 0n
      this.#pieces(0, this.k, (words, count) => {
        bits |= this.ring.x.spread(words, count)
      })
      this.#reach = BigInt.asUintN(64, bits).toString(2).length + (bits === 0n ? 0 : 1)
    }
    return this.#reach
  }

  /** Elements of `rows` rows from `from` on, mod 2^64. */
  read(from: number, rows: number): BigUint64Array {
    const out = new BigUint64Array(rows * this.n)
    this.#pieces(from, rows, (words, count, done) => {
      out.set(new BigUint64Array(this.ring.arena.memory.buffer, words, count), done)
    })
    const { bias } = this
    if (bias !== 0n) for (let i = 0; i < out.length; i++) out[i] = BigInt.asUintN(64, out[i] + bias)
    return out
  }

  /**
   * The lowest `count` byte planes of `rows` rows from `from` on, one below the other, as signed bytes [count x rows x n]:
   * matrix = planeBias + sum of plane q * 2^(8q) over all planes that `reach` asks for, mod 2^64. Into `out` where it is
   * given.
   */
  planes(count: number, from: number, rows: number, out = new Int8Array(count * rows * this.n)): Int8Array {
    const { x } = this.ring
    const turned = this.#planeHalves
    return this.#digits(out, from, rows, (words, each, out) => {
      x.flip(words, each, turned)
      x.splitBytes(words, each, count, out)
    })
  }

  /**
   * All `count` balanced digits of `bits` bits (assembly/digits.ts) of `rows` rows from `from` on, one below the other:
   * matrix = bias + sum of digit q * 2^(bits q). Into `out` where it is given.
   */
  digits(
    bits: number,
    count: number,
    from: number,
    rows: number,
    out = new Int32Array(count * rows * this.n),
  ): Int32Array {
    const { x } = this.ring
    return this.#digits(out, from, rows, (words, each, made) => x.splitDigits(words, each, bits, count, made))
  }

  /** What the planes leave out: this matrix's bias, and 128 for each byte below the highest that `reach` asks for. */
  get planeBias(): bigint {
    return BigInt.asUintN(64, this.bias + this.#planeHalves)
  }

  get #planeHalves(): bigint {
    return 0x8080808080808080n & ((1n << BigInt(8 * (Math.ceil(this.reach / 8) - 1))) - 1n)
  }

  /** Fills `out`, digits [count x rows x n], with what `split` makes of the words of a piece. */
  #digits<T extends Int8Array | Int32Array>(
    out: T,
    from: number,
    rows: number,
    split: (words: number, each: number, out: number) => void,
  ): T {
    const { n } = this
    const { arena } = this.ring
    const bytes = out.BYTES_PER_ELEMENT
    const kind = out.constructor as Int8ArrayConstructor
    const count = out.length / (rows * n)
    const made = arena.alloc(Math.min(rows, rowsPerPiece(n, 8)) * n * count * bytes)
    this.#pieces(from, rows, (words, each, done) => {
      split(words, each, made)
      for (let q = 0; q < count; q++) {
        const digits = new kind(arena.memory.buffer, made + q * each * bytes, each)
        out.set(digits, q * rows * n + done)
      }
    })
    arena.free(made)
    return out
  }

  /** Hands on the elements of `rows` rows from `from` on, less the bias, as i64 words by pieces of whole rows. */
  #pieces(from: number, rows: number, each: (words: number, count: number, done: number) => void): void {
    const { ring, k, n, width, address } = this
    const most = Math.min(rows, rowsPerPiece(n, 8))
    // Words are read in pairs.
    const words = ring.arena.alloc(most * n * 8 + 8)
    for (let done = 0; done < rows; done += most) {
      const count = Math.min(most, rows - done)
      ring.x.gatherWords(address, width, from + done, count, k, n, words)
      each(words, count * n, done * n)
    }
    ring.arena.free(words)
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
  const scatter = { 1: x.scatter8, 2: x.scatter16, 4: x.scatter32, 6: x.narrow48, 8: x.scatter64 }[width]
  const rows = rowsPerPiece(n, 8)
  const scratch = arena.alloc(Math.min(rows, k) * n * 8)
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
  const width = ringWidth(bits)
  const matrix = new WasmMatrix(ring, k, n, width, 0n)
  const scatter = { 2: x.narrow16, 4: x.narrow32, 6: x.narrow48, 8: x.scatter64 }[width]
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
