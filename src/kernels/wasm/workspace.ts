import type { Arena } from './arena.ts'

/** A place in the module's memory that every call uses anew, seen as bytes, half words, words and lanes. */
export class Workspace {
  bytes = new Uint8Array()
  halves = new Uint16Array()
  words = new Uint32Array()
  lanes = new BigUint64Array()
  /** Where it lies in the module's memory. */
  block = 0
  readonly #arena: Arena
  #size = 0

  constructor(arena: Arena) {
    this.#arena = arena
  }

  /** Makes room for so many bytes. */
  reserve(size: number): void {
    if (size > this.#size) {
      if (this.#size > 0) this.#arena.free(this.block)
      this.block = this.#arena.alloc(size)
      this.#size = size
    } else if (this.bytes.buffer === this.#arena.memory.buffer) return
    // Views of a memory that has grown since are gone.
    const { buffer } = this.#arena.memory
    this.bytes = new Uint8Array(buffer, this.block, this.#size)
    this.halves = new Uint16Array(buffer, this.block, Math.floor(this.#size / 2))
    this.words = new Uint32Array(buffer, this.block, Math.floor(this.#size / 4))
    this.lanes = new BigUint64Array(buffer, this.block, Math.floor(this.#size / 8))
  }
}
