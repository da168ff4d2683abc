/** Bytes that a chunk has at least. */
const CHUNK = 1 << 20

/**
 * Memory for what is read within one step and never again, so that keystreams of megabytes are not made of new memory
 * each time: engines collect large arrays by their size, and clear the new ones.
 */
export class Scratch {
  readonly #chunks: Uint8Array[] = []
  /** The chunk in use, and how much of it is taken. */
  #chunk = 0
  #used = 0

  /** So many bytes of whatever was there, 8-byte aligned, until `release`. */
  take(bytes: number): Uint8Array {
    while (this.#chunk < this.#chunks.length && this.#used + bytes > this.#chunks[this.#chunk].length) {
      this.#chunk++
      this.#used = 0
    }
    if (this.#chunk === this.#chunks.length) this.#chunks.push(new Uint8Array(Math.max(CHUNK, bytes)))
    const at = this.#used
    this.#used += Math.ceil(bytes / 8) * 8
    return this.#chunks[this.#chunk].subarray(at, at + bytes)
  }

  /** Everything that was taken may be taken anew. */
  release(): void {
    this.#chunk = 0
    this.#used = 0
  }
}
