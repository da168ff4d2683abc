import type { Ring } from './module.ts'
import { Workspace } from './workspace.ts'

/** The keystream passes through a scratch of this many bytes: small enough to stay in the cache. */
const PIECE = 1 << 16
/** Of the scratch: key and nonce. */
const STATE = 64
/** Blocks whose places pass through the scratch at a time, and the bytes of a place. */
const BLOCKS = 512
const PLACE = 12

/** Keystreams of one instance, whose scratch outlives a call: most are short, and nobody else is given what they leave. */
export class WasmKeystream {
  readonly #ring: Ring
  readonly #scratch: Workspace

  constructor(ring: Ring) {
    this.#ring = ring
    this.#scratch = new Workspace(ring.arena)
  }

  /** RFC 8439 keystream from `byteOffset`, by groups of four blocks. Arguments are checked by the caller. */
  fill(key: Uint8Array, nonce: Uint8Array, byteOffset: number, out: Uint8Array): void {
    const scratch = this.#scratch
    scratch.reserve(STATE + PIECE)
    const { bytes, block } = scratch
    bytes.set(key)
    bytes.set(nonce, 32)
    for (let done = 0; done < out.length; done += PIECE) {
      const n = Math.min(PIECE, out.length - done)
      // counters past 2^32 - 1 can only be made in the unused tail of a group
      this.#ring.x.chacha20(block, (byteOffset + done) / 64, block + STATE, Math.ceil(n / 256))
      out.set(bytes.subarray(STATE, STATE + n), done)
    }
    bytes.fill(0, 0, STATE)
  }

  /** Scattered blocks, four at a time. Arguments are checked by the caller. */
  blocks(key: Uint8Array, stream: number, places: Uint32Array): Uint8Array {
    const scratch = this.#scratch
    const from = STATE + BLOCKS * PLACE
    scratch.reserve(Math.max(STATE + PIECE, from + BLOCKS * 64))
    const { bytes, words, block } = scratch
    const count = places.length / 3
    const out = new Uint8Array(count * 64)
    bytes.set(key)
    words[8] = stream
    for (let done = 0; done < count; done += BLOCKS) {
      const n = Math.min(BLOCKS, count - done)
      words.set(places.subarray(3 * done, 3 * (done + n)), STATE / 4)
      this.#ring.x.chacha20Scattered(block, block + STATE, block + from, (n + 3) >> 2)
      out.set(bytes.subarray(from, from + n * 64), done * 64)
    }
    bytes.fill(0, 0, STATE)
    return out
  }
}
