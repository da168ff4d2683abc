import { type LaneArray, laneArray, widthOf } from '../lanes.ts'
import { checkDifference, checkUnpack, type PackingKernels } from '../packing.ts'
import { checkBits, packedBytes } from '../sizes.ts'
import type { Ring } from './module.ts'

/** Log2 of the bytes of a width that needs no bit shifting. */
const ALIGNED: Record<number, number> = { 8: 0, 16: 1, 32: 2 }

function pack(ring: Ring, values: BigUint64Array, bits: number): Uint8Array {
  checkBits(bits)
  const count = values.length
  const bytes = packedBytes(count, bits)
  if (bits === 64) return new Uint8Array(values.buffer, values.byteOffset, bytes).slice()
  const { x, arena } = ring
  const block = arena.alloc(count * 8 + bytes + 16)
  const out = block + count * 8
  new BigUint64Array(arena.memory.buffer, block, count).set(values)
  if (bits in ALIGNED) x.packAligned(block, count, ALIGNED[bits], out)
  else x.pack(block, count, bits, out)
  const result = new Uint8Array(arena.memory.buffer, out, bytes).slice()
  arena.free(block)
  return result
}

function unpack(ring: Ring, bytes: Uint8Array, bits: number, count: number): BigUint64Array {
  checkUnpack(bytes, bits, count)
  if (bits === 64) return new BigUint64Array(bytes.slice().buffer)
  const { x, arena } = ring
  const block = arena.alloc(count * 8 + bytes.length + 16)
  const from = block + count * 8
  new Uint8Array(arena.memory.buffer, from, bytes.length).set(bytes)
  if (bits in ALIGNED) x.unpackAligned(from, ALIGNED[bits], count, block)
  else x.unpack(from, bits, count, block)
  const result = new BigUint64Array(arena.memory.buffer, block, count).slice()
  arena.free(block)
  return result
}

/** Values that pass through the scratch at a time: they stay in the cache, and their packing fills whole bytes. */
const PIECE = 4096

function packDifference(ring: Ring, values: LaneArray, words: Uint8Array, bits: number): Uint8Array {
  const width = checkDifference(values, words, bits)
  const { x, arena } = ring
  const out = new Uint8Array(packedBytes(values.length, bits))
  const most = Math.min(PIECE, values.length)
  const block = arena.alloc(most * 24 + 64)
  const [from, to] = [block + most * 8, block + most * 16]
  const lanes = widthOf(values)
  // Narrow lanes come in where the packed values go out.
  const piece = laneArray(lanes, most, arena.memory.buffer, lanes === 64 ? block : to)
  const less = new Uint8Array(arena.memory.buffer, from, most * 8)
  for (let first = 0; first < values.length; first += most) {
    const n = Math.min(most, values.length - first)
    piece.set(values.subarray(first, first + n) as never)
    if (lanes < 64) x.widenLanes(to, lanes, n, block)
    less.set(words.subarray(first * width, (first + n) * width))
    x.packDifference(block, from, width, n, bits, to)
    out.set(new Uint8Array(arena.memory.buffer, to, packedBytes(n, bits)), (first * bits) / 8)
  }
  // keystreams do not linger in memory that the next caller gets
  less.fill(0)
  arena.free(block)
  return out
}

/** Packed bits by the module, in its memory. */
export const wasmPacking = (ring: Ring): PackingKernels => ({
  pack: (values, bits) => pack(ring, values, bits),
  unpack: (bytes, bits, count) => unpack(ring, bytes, bits, count),
  packDifference: (values, words, bits) => packDifference(ring, values, words, bits),
})
