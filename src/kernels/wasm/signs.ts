import { demand, KernelError } from '../error.ts'
import type { Matrix, MatrixData } from '../kernels.ts'
import type { Ring } from './module.ts'

/** Rows go through the scratch space in pieces of about this many bytes. */
const PIECE = 1 << 18
/** Products of bytes by smaller ones are exact on every processor's 8-bit instructions: node/scheme.ts. */
const LARGEST_SCALE = 63
/** Sums of so many 16-bit limbs, of either sign, fit 32 bits. */
const MOST_ROWS = 1 << 15

/**
 * A matrix of 1-bit weights at rest: a sign each, and a scale for every column.
 *
 * One party alone multiplies by such a matrix, and one product of its: the server, which has W in the clear, the masked
 * value that `openToServer` gave it, e·W, where `linearPrivate` is a plan's. Everybody else's operands are as wide as the
 * ring: the owner's F is a keystream, the dealer's b = W - F is uniform because F is, and the pieces of a split weight are
 * uniform each. Servers run on Node, which multiplies many rows by ONNX Runtime and few by this module; no graphics
 * processor ever sees a sign, so there is no shader for them.
 */
export class WasmSigns implements Matrix {
  readonly ring: Ring
  readonly k: number
  readonly n: number
  /** Bits of the widest element, its sign included. */
  readonly reach: number
  #at: number

  constructor(
    ring: Ring,
    data: Exclude<MatrixData, BigUint64Array>,
    k: number,
    n: number,
    scales: Uint8Array,
  ) {
    this.ring = ring
    this.k = k
    this.n = n
    this.reach = 33 - Math.clz32(scales.reduce((a, b) => Math.max(a, b), 0))
    const { x, arena } = ring
    const size = this.bytes * 16 * this.panels
    this.#at = arena.alloc(size + n)
    new Uint8Array(arena.memory.buffer, this.#at, size).fill(0)
    new Uint8Array(arena.memory.buffer, this.scales, n).set(scales)
    const most = Math.max(1, Math.floor(PIECE / n))
    const scratch = arena.alloc(Math.min(most, k) * n)
    for (let row = 0; row < k; row += most) {
      const rows = Math.min(most, k - row)
      new Int8Array(arena.memory.buffer, scratch, rows * n).set(data.subarray(row * n, (row + rows) * n))
      x.scatterSigns(scratch, row, rows, k, n, this.#at)
    }
    arena.free(scratch)
  }

  /** Bytes of a column. */
  get bytes(): number {
    return Math.ceil(this.k / 8)
  }

  /** Groups of sixteen columns. */
  get panels(): number {
    return Math.ceil(this.n / 16)
  }

  get address(): number {
    if (this.#at === 0) throw new KernelError('the matrix was freed')
    return this.#at
  }

  /** Where the columns' scales are, a byte each. */
  get scales(): number {
    return this.address + this.bytes * 16 * this.panels
  }

  get isLive(): boolean {
    return this.#at !== 0
  }

  free(): void {
    if (this.#at !== 0) this.ring.arena.free(this.#at)
    this.#at = 0
  }

  /** Elements of `rows` rows from `from` on, mod 2^64. */
  read(from: number, rows: number): BigUint64Array {
    return new BigUint64Array(BigInt64Array.from(this.plane(from, rows), BigInt).buffer)
  }

  /** `rows` rows from `from` on as signed bytes, row major; into `out` where it is given. */
  plane(from: number, rows: number, out = new Int8Array(rows * this.n)): Int8Array {
    const { ring, k, n, address, scales } = this
    const most = Math.max(1, Math.floor(PIECE / n))
    const scratch = ring.arena.alloc(Math.min(most, rows) * n)
    for (let row = 0; row < rows; row += most) {
      const piece = Math.min(most, rows - row)
      ring.x.gatherSigns(address, scales, from + row, piece, k, n, scratch)
      out.set(new Int8Array(ring.arena.memory.buffer, scratch, piece * n), row * n)
    }
    ring.arena.free(scratch)
    return out
  }
}

/** The caller's matrix, if it is one of signs, a live one of this instance's. */
export function ownSigns(ring: Ring, b: Matrix): WasmSigns | undefined {
  if (!(b instanceof WasmSigns)) return undefined
  demand(b.ring === ring, 'the matrix was loaded by other kernels')
  demand(b.address !== 0, 'the matrix was freed')
  return b
}

/** A matrix of signs times a scale for each column, if the data is one. */
export function loadSigns(ring: Ring, data: MatrixData, k: number, n: number): WasmSigns | undefined {
  if (data instanceof BigUint64Array || k === 0 || n === 0 || k > MOST_ROWS) return undefined
  const scales = Uint8Array.from(data.subarray(0, n), (v) => Math.min(255, Math.abs(v)))
  if (scales.some((s) => s === 0 || s > LARGEST_SCALE)) return undefined
  for (let at = n; at < data.length; at += n)
    for (let j = 0; j < n; j++) if (Math.abs(data[at + j]) !== scales[j]) return undefined
  return new WasmSigns(ring, data, k, n, scales)
}

/** a [m x k] times signs mod 2^bits. Arguments are checked by the caller. */
export function signMatmul(
  ring: Ring,
  a: BigUint64Array,
  m: number,
  b: WasmSigns,
  bits: number,
): BigUint64Array {
  const { x, arena } = ring
  const { k, n, bytes, panels, address, scales } = b
  if (m === 0) return new BigUint64Array(0)
  // A ring of up to 32 bits in one go; a wider one by its limbs of 16, whose sums are exact in 32.
  const planes = bits <= 16 ? 2 : 4
  const [limbs, mask] = bits <= 32 ? [1, 0xffffffff] : [Math.ceil(bits / 16), 0xffff]
  const sumBytes = bytes * 2 * planes * 16
  const block = arena.alloc(k * 8 + sumBytes + panels * 64 + m * n * 8 + 192)
  const sums = Math.ceil((block + k * 8) / 64) * 64
  const parts = sums + sumBytes
  const out = parts + panels * 64
  const row = new BigUint64Array(arena.memory.buffer, block, k)
  const result = new BigUint64Array(arena.memory.buffer, out, m * n).fill(0n)
  for (let r = 0; r < m; r++) {
    row.set(a.subarray(r * k, (r + 1) * k))
    const to = out + r * n * 8
    for (let limb = 0; limb < limbs; limb++) {
      x.signSums(block, k, 16 * limb, mask, planes, sums)
      x.mulSigns(sums, planes, address, bytes, panels, parts)
      x.addSigns(parts, n, 16 * limb, to)
    }
    x.scaleSigns(to, n, scales, bits)
  }
  const y = result.slice()
  arena.free(block)
  return y
}
