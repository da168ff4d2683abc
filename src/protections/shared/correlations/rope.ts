import type { Lanes } from '../ring.ts'

/** Bytes in which a value of up to 64 bits lies, wherever it begins. */
const WINDOW = 9

/** The word that begins `shift` bits, 7 at most, into a low one that another follows; a shift by 32 would be one by nothing. */
const shifted = (low: number, next: number, shift: number): number =>
  (low >>> shift) | ((next << 1) << (31 - shift))

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

  /**
   * `pick` of tables whose entries lie bit by bit: `words` words of `bits` bits of each, mod 2^bits. A table fills whole
   * bytes.
   */
  pickBits(start: number, entries: number, index: Uint32Array, words: number, bits: number): Lanes {
    const table = (entries * words * bits) / 8
    const size = index.length * table
    const bytes = this.slice(start, start + size)
    const whole = new DataView(bytes.buffer, bytes.byteOffset, size)
    // The last bytes once more, with others behind them: every value is read with a whole window.
    const cut = Math.max(0, size - 2 * WINDOW)
    const end = new DataView(new ArrayBuffer(4 * WINDOW))
    new Uint8Array(end.buffer).set(bytes.subarray(cut))
    const out = new Uint32Array(2 * index.length * words)
    const [low, high] = [bits, bits - 32].map((n) => (n >= 32 ? -1 : 2 ** Math.max(n, 0) - 1))
    for (let i = 0, to = 0, at = 0; i < index.length; i++, at += table) {
      let bit = index[i] * words * bits
      for (let w = 0; w < words; w++, to += 2, bit += bits) {
        const place = at + (bit >>> 3)
        const isWhole = place <= size - WINDOW
        const [view, byte] = isWhole ? [whole, place] : [end, place - cut]
        const next = view.getInt32(byte + 4, true)
        out[to] = shifted(view.getInt32(byte, true), next, bit & 7) & low
        if (high !== 0) out[to + 1] = shifted(next, view.getUint8(byte + 8), bit & 7) & high
      }
    }
    return new BigUint64Array(out.buffer)
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
