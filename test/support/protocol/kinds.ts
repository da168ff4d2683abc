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

/** Two ends of every kind of value, each bit between them, and narrow ones whole, counted. */
export class Kinds {
  readonly histograms = new Map<string, Histogram>()

  add(kind: string, bits: number, value: bigint): void {
    const end = Math.min(END, bits)
    this.#count(`${kind} low`, end, Number(value & (2n ** BigInt(end) - 1n)))
    this.#count(`${kind} top`, end, Number(value >> BigInt(bits - end)))
    for (let bit = END; bit < bits - END; bit++)
      this.#count(`${kind} bit${bit}`, 1, Number((value >> BigInt(bit)) & 1n))
    if (bits > END && bits <= NARROW) this.#count(`${kind} whole`, bits, Number(value))
  }

  #count(key: string, bits: number, value: number): void {
    let histogram = this.histograms.get(key)
    if (!histogram) {
      histogram = new Histogram(bits)
      this.histograms.set(key, histogram)
    }
    histogram.add(value)
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
