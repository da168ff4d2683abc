import type { Ring } from '../wasm/module.ts'
import { type Digits, operandsOf, type ProductKind } from './products.ts'

/** Digits of a left operand [m x k], made once for each width that is asked for. */
export class LeftDigits {
  readonly #ring: Ring
  readonly #kind: ProductKind
  readonly #a: BigUint64Array
  readonly #m: number
  readonly #k: number
  readonly #bits: number
  readonly #made = new Map<number, Digits>()

  /** @param bits of the ring: digits above them are not made. */
  constructor(ring: Ring, kind: ProductKind, a: BigUint64Array, m: number, k: number, bits: number) {
    this.#ring = ring
    this.#kind = kind
    // The caller may reuse its own while a product waits.
    this.#a = a.slice()
    this.#m = m
    this.#k = k
    this.#bits = bits
  }

  /** Digits first .. first + count of `width` bits, in columns from .. from + k, one below the other: [count * m x k]. */
  stack(width: number, first: number, count: number, from: number, k: number): Digits {
    const all = this.#of(width)
    const [size, whole] = [this.#m * this.#k, this.#k]
    if (k === whole) return all.subarray(first * size, (first + count) * size)
    const out = new operandsOf[this.#kind].left(count * this.#m * k)
    for (let row = 0; row < count * this.#m; row++) {
      const at = first * size + row * whole + from
      out.set(all.subarray(at, at + k), row * k)
    }
    return out
  }

  #of(width: number): Digits {
    let digits = this.#made.get(width)
    if (!digits) {
      digits = this.#split(width)
      this.#made.set(width, digits)
    }
    return digits
  }

  #split(width: number): Digits {
    const { x, arena } = this.#ring
    const { length } = this.#a
    const count = Math.ceil(this.#bits / width)
    const even = length + (length % 2)
    const kind = operandsOf[this.#kind].left
    const bytes = count * length * kind.BYTES_PER_ELEMENT
    // The words, room for those that they are turned into, and the digits.
    const words = arena.alloc(3 * even * 8 + bytes)
    const [low, high, out] = [1, 2, 3].map((n) => words + n * even * 8)
    new BigUint64Array(arena.memory.buffer, words, length).set(this.#a)
    if (this.#kind === 'float64') x.splitDigits(words, length, width, count, out)
    else if (this.#kind === 's8s8') {
      x.balanceBytes(words, length, low)
      x.splitBytes(low, length, count, out)
    } else if (width === 8) x.splitBytes(words, length, count, out)
    else {
      x.spreadSevens(words, length, low, high)
      x.splitBytes(low, length, Math.min(count, 8), out)
      if (count > 8) x.splitBytes(high, length, count - 8, out + 8 * length)
    }
    const digits = new kind(arena.memory.buffer, out, count * length).slice()
    arena.free(words)
    return digits
  }
}
