/** Rows of a stored matrix in any order, and where a veiled one is written: a piece of either in memory at a time. */

/** Fills `into` with the bytes from `offset` on. */
export type ReadBytes = (offset: number, into: Uint8Array) => void

/** Puts `bytes` at `offset`. */
export type WriteBytes = (offset: number, bytes: Uint8Array) => void

/** Bytes of a matrix that are read, or written, at a time. */
export const CHUNK = 8 << 20

/** A matrix that is read in one go, if it is no larger than this: single rows are slower. */
const WHOLE = 128 << 20

/** Memory for such a matrix, of one after another. */
let memory = new Uint8Array(0)

/** Hands out rows of `rowBytes`. */
export class Rows {
  readonly #read: ReadBytes
  readonly #rowBytes: number
  readonly #whole?: Uint8Array

  constructor(read: ReadBytes, rows: number, rowBytes: number) {
    this.#read = read
    this.#rowBytes = rowBytes
    if (rows * rowBytes > WHOLE) return
    if (memory.length < rows * rowBytes) memory = new Uint8Array(rows * rowBytes)
    this.#whole = memory.subarray(0, rows * rowBytes)
    read(0, this.#whole)
  }

  /** Puts the rows numbered `order[from...]` into `into`, as many as it holds. */
  gather(order: Uint32Array, from: number, into: Uint8Array): void {
    const width = this.#rowBytes
    for (let at = 0, i = from; at < into.length; ) {
      // Neighbours that stay neighbours come in one go.
      let count = 1
      while (at + count * width < into.length && order[i + count] === order[i] + count) count++
      const part = into.subarray(at, at + count * width)
      const offset = order[i] * width
      if (this.#whole) part.set(this.#whole.subarray(offset, offset + part.length))
      else this.#read(offset, part)
      at += part.length
      i += count
    }
  }
}
