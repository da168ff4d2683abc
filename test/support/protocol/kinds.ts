/** Values of many kinds, each tested for uniformity, with one error for the whole family. */
import type { Captured } from './capture.ts'
import { Histogram } from './statistics.ts'

/** Bits at either end of a value that are looked at. */
const END = 3
/** Values of so few bits are counted whole, too. */
const NARROW = 8
/** Fewer values than this many for each cell say nothing. */
const PER_CELL = 8

export const nameOf = ({ step, who, slot }: Captured): string => `${step.op} ${step.id} ${slot ?? ''} ${who}`

/** Two ends of one kind of value, each bit between them, and a narrow one whole, counted. */
class Counts {
  readonly #bits: number
  readonly #low: Histogram
  readonly #top: Histogram
  readonly #middle: Histogram[] = []
  readonly #whole?: Histogram

  constructor(bits: number) {
    this.#bits = bits
    this.#low = new Histogram(Math.min(END, bits))
    this.#top = new Histogram(Math.min(END, bits))
    for (let bit = END; bit < bits - END; bit++) this.#middle.push(new Histogram(1))
    if (bits > END && bits <= NARROW) this.#whole = new Histogram(bits)
  }

  /** Halves of 32 bits are numbers: a test counts millions of values, and integers of any size are slow at it. */
  add(value: bigint): void {
    const bits = this.#bits
    const low = Number(bits > 32 ? value & 0xffffffffn : value)
    const high = bits > 32 ? Number(value >> 32n) : 0
    this.#low.add(low & (this.#low.counts.length - 1))
    const below = Math.max(bits - END, 0)
    this.#top.add(below >= 32 ? high >>> (below - 32) : Math.floor((high * 2 ** 32 + low) / 2 ** below))
    for (let bit = END; bit < below; bit++)
      this.#middle[bit - END].add((bit < 32 ? low >>> bit : high >>> (bit - 32)) & 1)
    this.#whole?.add(low)
  }

  *histograms(kind: string): Generator<[string, Histogram]> {
    yield [`${kind} low`, this.#low]
    yield [`${kind} top`, this.#top]
    for (const [i, histogram] of this.#middle.entries()) yield [`${kind} bit${END + i}`, histogram]
    if (this.#whole) yield [`${kind} whole`, this.#whole]
  }
}

/** Values of many kinds, counted. */
export class Kinds {
  readonly #counts = new Map<string, Counts>()

  add(kind: string, bits: number, value: bigint): void {
    let counts = this.#counts.get(kind)
    if (!counts) {
      counts = new Counts(bits)
      this.#counts.set(kind, counts)
    }
    counts.add(value)
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
