/**
 * Bytes that came in parts, read where they lie: of gigabytes of dealt tables only an entry here and there is needed.
 */
export class Rope {
  readonly length: number
  readonly #parts: readonly Uint8Array[]
  /** Where each part begins, and where the last one ends. */
  readonly #starts: Float64Array

  constructor(parts: readonly Uint8Array[]) {
    this.#parts = parts
    this.#starts = new Float64Array(parts.length + 1)
    for (const [i, part] of parts.entries()) this.#starts[i + 1] = this.#starts[i] + part.length
    this.length = this.#starts[parts.length]
  }

  /** Bytes from..to-1, copied only where they lie in more than one part. */
  slice(from: number, to: number): Uint8Array {
    const at = this.#partOf(from)
    const start = this.#starts[at]
    if (to <= this.#starts[at + 1]) return this.#parts[at].subarray(from - start, to - start)
    const out = new Uint8Array(to - from)
    for (let i = at; i < this.#parts.length && this.#starts[i] < to; i++) {
      const begin = this.#starts[i]
      const part = this.#parts[i].subarray(Math.max(0, from - begin), to - begin)
      out.set(part, Math.max(0, begin - from))
    }
    return out
  }

  /** Entry index[i] of the i-th table for every i, one after another: tables of so many entries of `size` bytes. */
  pick(start: number, entries: number, index: Uint32Array, size: number): Uint8Array {
    const n = index.length
    const table = entries * size
    const out = new Uint8Array(n * size)
    const target = new DataView(out.buffer)
    // Whole words where they fit: what one copies too much, the next entry overwrites.
    const over = Math.ceil(size / 4) * 4
    for (let i = 0, to = 0, at = this.#partOf(start); i < n && at < this.#parts.length; at++) {
      const begin = this.#starts[at]
      const part = this.#parts[at]
      const { length } = part
      const source = new DataView(part.buffer, part.byteOffset, length)
      for (; i < n; i++, to += size) {
        const from = start + i * table + index[i] * size - begin
        if (from >= length) break
        if (from + over <= length && to + over <= out.length)
          for (let b = 0; b < size; b += 4) target.setInt32(to + b, source.getInt32(from + b))
        else out.set(this.slice(begin + from, begin + from + size), to)
      }
    }
    return out
  }

  #partOf(offset: number): number {
    let low = 0
    let high = this.#parts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#starts[middle] <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}

/** Parts one after another; a single one as it is. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Rope(parts)
  return whole.slice(0, whole.length)
}
