import { demand } from '../error.ts'
import {
  checkRotated,
  checkRotating,
  type RotatingRows,
  type RotationKernels,
  type RotationSpec,
} from '../rotated.ts'
import { packedBytes } from '../sizes.ts'
import type { Ring } from './module.ts'

/** Values that pass through the scratch at a time, about: they stay in the cache. */
const PIECE = 4096

class WasmRows implements RotatingRows {
  readonly spec: RotationSpec
  readonly ring: Ring
  /** Values rest in 32 bits. */
  readonly isNarrow: boolean
  /** They do, and each row once more behind itself: rotated rows are read in one go. */
  readonly isDouble: boolean
  /** Where the rows are; 0 once they are freed. */
  at: number

  constructor(ring: Ring, at: number, isNarrow: boolean, isDouble: boolean, spec: RotationSpec) {
    this.ring = ring
    this.at = at
    this.isNarrow = isNarrow
    this.isDouble = isDouble
    this.spec = spec
  }

  free(): void {
    if (this.at > 0) this.ring.arena.free(this.at)
    this.at = 0
  }
}

/** Whether signed 32 bits hold all values. */
function fitInts(rows: BigUint64Array): boolean {
  const halves = new Int32Array(rows.buffer, rows.byteOffset, 2 * rows.length)
  for (let i = 0; i < halves.length; i += 2) if (halves[i + 1] !== halves[i] >> 31) return false
  return true
}

function keepRotating(ring: Ring, rows: BigUint64Array, spec: RotationSpec): RotatingRows {
  const per = checkRotating(rows, spec)
  const { arena } = ring
  const isNarrow = fitInts(rows)
  // Eight values are packed at a time.
  const isDouble = isNarrow && per % 8 === 0
  // Narrow rows are read two values at a time.
  const at = arena.alloc(rows.length * (isNarrow && !isDouble ? 4 : 8) + 4)
  if (isNarrow) {
    const halves = new Int32Array(rows.buffer, rows.byteOffset, 2 * rows.length)
    const kept = new Int32Array(arena.memory.buffer, at, rows.length * (isDouble ? 2 : 1))
    for (let i = 0; i < rows.length; i++) kept[isDouble ? i + i - (i % per) : i] = halves[2 * i]
    if (isDouble) for (let i = 0; i < kept.length; i += 2 * per) kept.copyWithin(i + per, i, i + per)
  } else new BigUint64Array(arena.memory.buffer, at, rows.length).set(rows)
  return new WasmRows(ring, at, isNarrow, isDouble, spec)
}

function packRotated(
  ring: Ring,
  rows: RotatingRows,
  masks: Uint32Array,
  words: Uint8Array,
  bits: number,
  out: Uint8Array,
): void {
  demand(rows instanceof WasmRows && rows.ring === ring, 'other kernels keep the rows')
  demand(rows.at > 0, 'the rows were freed')
  const { spec, at, isNarrow, isDouble } = rows
  const width = checkRotated(spec, masks, words, bits, out)
  const { x, arena } = ring
  const per = spec.entries * spec.words
  // Eight masks' values at least, so that a piece fills whole bytes.
  const most = Math.min(masks.length, Math.max(8, Math.floor(PIECE / per / 8) * 8))
  const [values, less, packed] = [4 * most, 8 * per * most, 8 * per * most + 8]
  const block = arena.alloc(values + packed + less + packed)
  const [v, w, p] = [block + values, block + values + packed, block + values + packed + less]
  const piece = new Uint32Array(arena.memory.buffer, block, most)
  const keystream = new Uint8Array(arena.memory.buffer, w, less)
  for (let first = 0; first < masks.length; first += most) {
    const n = Math.min(most, masks.length - first)
    piece.set(masks.subarray(first, first + n))
    keystream.set(words.subarray(first * per * width, (first + n) * per * width))
    if (isDouble && bits <= 32) x.packRotated(at, per, spec.words, spec.shift, block, n, w, width, bits, p)
    else {
      x.rotated(at, isNarrow ? 1 : 0, isDouble ? 2 * per : per, per, spec.words, spec.shift, block, n, v)
      x.packDifference(v, w, width, n * per, bits, p)
    }
    const bytes = packedBytes(n * per, bits)
    out.set(new Uint8Array(arena.memory.buffer, p, bytes), (first * per * bits) / 8)
  }
  // keystreams do not linger in memory that the next caller gets
  keystream.fill(0)
  arena.free(block)
}

/** Rotated tables by the module; rows stay in its memory until they are freed. */
export const wasmRotated = (ring: Ring): RotationKernels => ({
  keepRotating: (rows, spec) => keepRotating(ring, rows, spec),
  packRotated: (rows, masks, words, bits, out) => packRotated(ring, rows, masks, words, bits, out),
})
