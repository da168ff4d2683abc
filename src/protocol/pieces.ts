/** Bytes that came in pieces, read where they lie: of gigabytes of dealt tables only an entry here and there is needed. */
export class Pieces {
  readonly length: number
  readonly #pieces: readonly Uint8Array[]
  /** Where each piece begins, and where the last one ends. */
  readonly #starts: Float64Array

  constructor(pieces: readonly Uint8Array[]) {
    this.#pieces = pieces
    this.#starts = new Float64Array(pieces.length + 1)
    for (const [i, piece] of pieces.entries()) this.#starts[i + 1] = this.#starts[i] + piece.length
    this.length = this.#starts[pieces.length]
  }

  /** Bytes from..to-1, copied only where they lie in more than one piece. */
  slice(from: number, to: number): Uint8Array {
    const at = this.#pieceOf(from)
    const start = this.#starts[at]
    if (to <= this.#starts[at + 1]) return this.#pieces[at].subarray(from - start, to - start)
    const out = new Uint8Array(to - from)
    for (let i = at; i < this.#pieces.length && this.#starts[i] < to; i++) {
      const begin = this.#starts[i]
      const part = this.#pieces[i].subarray(Math.max(0, from - begin), to - begin)
      out.set(part, Math.max(0, begin - from))
    }
    return out
  }

  /** Entries of `size` bytes at ascending offsets, one after another. */
  gather(offsets: Float64Array, size: number): Uint8Array {
    const out = new Uint8Array(offsets.length * size)
    const target = new DataView(out.buffer)
    // Whole words where they fit: what one copies too much, the next entry overwrites.
    const over = Math.ceil(size / 4) * 4
    for (let i = 0, to = 0, at = 0; i < offsets.length && at < this.#pieces.length; at++) {
      const [start, end] = [this.#starts[at], this.#starts[at + 1]]
      const piece = this.#pieces[at]
      const source = new DataView(piece.buffer, piece.byteOffset, piece.length)
      for (; i < offsets.length && offsets[i] < end; i++, to += size) {
        const from = offsets[i] - start
        if (from + over <= piece.length && to + over <= out.length)
          for (let b = 0; b < size; b += 4) target.setInt32(to + b, source.getInt32(from + b))
        else out.set(this.slice(offsets[i], offsets[i] + size), to)
      }
    }
    return out
  }

  #pieceOf(offset: number): number {
    let low = 0
    let high = this.#pieces.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#starts[middle] <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}
