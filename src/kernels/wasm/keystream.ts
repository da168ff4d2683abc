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
