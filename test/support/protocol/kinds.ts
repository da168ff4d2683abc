/** Values of many kinds, each tested for uniformity, with one error for the whole family. */
import type { Lanes } from '../../../src/protections/shared/ring.ts'
import type { Captured } from './capture.ts'
import { Histogram } from './statistics.ts'

/** Bits at either end of a value that are looked at. */
const END = 3
/** Values of so few bits are counted whole, too. */
const NARROW = 8
/** Fewer values than this many for each cell say nothing. */
const PER_CELL = 8

export const nameOf = ({ step, who, slot }: Captured): string => `${step.op} ${step.id} ${slot ?? ''} ${who}`

/** So many words that bytes can count them. */
const BLOCK = 255
const EVERY_BYTE = 0x01010101

/** Two ends of one kind of value, each bit between them, and a narrow one whole, counted. */
class Counts {
  readonly #bits: number
  readonly #low: Histogram
  readonly #top: Histogram
  readonly #whole?: Histogram
  /** How many values have a bit. */
  readonly #ones = new Float64Array(64)

  constructor(bits: number) {
    this.#bits = bits
    this.#low = new Histogram(Math.min(END, bits))
    this.#top = new Histogram(Math.min(END, bits))
    if (bits > END && bits <= NARROW) this.#whole = new Histogram(bits)
  }

  /** Halves of 32 bits are numbers: a test counts millions of values, and integers of any size are slow at it. */
  add(values: Lanes): void {
    const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length)
    const below = Math.max(this.#bits - END, 0)
    const last = this.#low.counts.length - 1
    for (let i = 0; i < words.length; i += 2) {
      const [low, high] = [words[i], words[i + 1]]
      this.#low.add(low & last)
      this.#top.add(below >= 32 ? high >>> (below - 32) : Math.floor((high * 2 ** 32 + low) / 2 ** below))
      this.#whole?.add(low)
    }
    for (let i = 0; i < words.length; i += 2 * BLOCK) this.#addBits(words.subarray(i, i + 2 * BLOCK))
  }

  /** Four bits of a word at once: every eighth, each counted in a byte of its own. */
  #addBits(words: Uint32Array): void {
    for (let half = 0; half < 2; half++)
      for (let bit = 0; bit < 8 && 32 * half + bit < this.#bits; bit++) {
        let counts = 0
        for (let i = half; i < words.length; i += 2) counts += (words[i] >>> bit) & EVERY_BYTE
        for (let byte = 0; byte < 4; byte++)
          this.#ones[32 * half + 8 * byte + bit] += (counts >>> (8 * byte)) & 255
      }
  }

  *histograms(kind: string): Generator<[string, Histogram]> {
    yield [`${kind} low`, this.#low]
    yield [`${kind} top`, this.#top]
    const { total } = this.#low
    for (let bit = END; bit < this.#bits - END; bit++)
      yield [`${kind} bit${bit}`, Histogram.of([total - this.#ones[bit], this.#ones[bit]])]
    if (this.#whole) yield [`${kind} whole`, this.#whole]
  }
}

/** Values of many kinds, counted. */
export class Kinds {
  readonly #counts = new Map<string, Counts>()

  add(kind: string, bits: number, values: Lanes): void {
    let counts = this.#counts.get(kind)
    if (!counts) {
      counts = new Counts(bits)
      this.#counts.set(kind, counts)
    }
    counts.add(values)
  }

  /** What was counted of each kind, by the kind's name and the part of the value. */
  get histograms(): Map<string, Histogram> {
    return new Map([...this.#counts].flatMap(([kind, counts]) => [...counts.histograms(kind)]))
  }

  /** Kinds of which there were enough values to say something. */
  get tested(): [string, Histogram][] {
    return [...this.histograms].filter(([, h]) => h.total >= PER_CELL * h.counts.length)
  }

  /**
   * Kinds that are too uneven to be chance, with their probabilities. `family` is how unlikely truly uniform values
   * have to be, all kinds together, before any is named.
   */
  suspects(family: number): { tested: number; uneven: string[] } {
    const { tested } = this
    const limit = family / tested.length
    return {
      tested: tested.length,
      uneven: tested.filter(([, h]) => h.p < limit).map(([k, h]) => `${k}: ${h.p}`),
    }
  }
}
