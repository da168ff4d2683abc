import type { Ring } from './module.ts'

/** The keystream passes through a scratch of this many bytes: small enough to stay in the cache. */
const PIECE = 1 << 16

/** RFC 8439 keystream from `byteOffset`, by groups of four blocks. Arguments are checked by the caller. */
export function wasmKeystream(
  ring: Ring,
  key: Uint8Array,
  nonce: Uint8Array,
  byteOffset: number,
  out: Uint8Array,
): void {
  const { x, arena } = ring
  const size = Math.min(PIECE, Math.ceil(out.length / 256) * 256)
  const block = arena.alloc(64 + size)
  const state = new Uint8Array(arena.memory.buffer, block, 44)
  const piece = new Uint8Array(arena.memory.buffer, block + 64, size)
  state.set(key)
  state.set(nonce, 32)
  for (let done = 0; done < out.length; done += size) {
    const bytes = Math.min(size, out.length - done)
    // counters past 2^32 - 1 can only be made in the unused tail of a group
    x.chacha20(block, (byteOffset + done) / 64, block + 64, Math.ceil(bytes / 256))
    out.set(bytes === size ? piece : piece.subarray(0, bytes), done)
  }
  // the key and the last masks do not linger in memory that the next caller gets
  state.fill(0)
  arena.free(block)
}

/** Blocks whose places pass through the scratch at a time. */
const BLOCKS = 512

/** Scattered blocks, four at a time. Arguments are checked by the caller. */
export function wasmBlocks(ring: Ring, key: Uint8Array, stream: number, places: Uint32Array): Uint8Array {
  const { x, arena } = ring
  const count = places.length / 3
  const out = new Uint8Array(count * 64)
  const at = arena.alloc(64 + BLOCKS * (64 + 12))
  const state = new Uint32Array(arena.memory.buffer, at, 9)
  const piecePlaces = new Uint32Array(arena.memory.buffer, at + 64, BLOCKS * 3)
  const piece = new Uint8Array(arena.memory.buffer, at + 64 + BLOCKS * 12, BLOCKS * 64)
  new Uint8Array(arena.memory.buffer, at, 32).set(key)
  state[8] = stream
  for (let done = 0; done < count; done += BLOCKS) {
    const n = Math.min(BLOCKS, count - done)
    piecePlaces.set(places.subarray(3 * done, 3 * (done + n)))
    x.chacha20Scattered(at, at + 64, piece.byteOffset, (n + 3) >> 2)
    out.set(piece.subarray(0, n * 64), done * 64)
  }
  new Uint8Array(arena.memory.buffer, at, 64).fill(0)
  arena.free(at)
  return out
}
