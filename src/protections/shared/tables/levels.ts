import type { TransformKernels } from '../../../kernels/transformed.ts'
import type { Lanes } from '../ring.ts'
import { Fitter } from './fit.ts'

/** Geometry of a table over [0, 2^ring), coarse, with optional finer levels over its low end. */
export interface LevelGeometry {
  readonly ring: number
  readonly entryBits: number
  /** Values under 2^(fineShift + entryBits) are read at the finest level of as many entries. Absent: one level. */
  readonly fineShift?: number
  /** How many, where there are more than two. */
  readonly levels?: number
  readonly degree: number
  /** Fraction bits of the coefficients. */
  readonly scale: number
}

/** Levels of a geometry. */
export const levelCount = (g: { fineShift?: number; levels?: number }): number =>
  g.fineShift === undefined ? 1 : (g.levels ?? 2)

/** What a level is read at: bits from `shift` on of a value mod `size`, whose segments are `step` wide. */
interface Reading {
  readonly shift: number
  readonly step: number
  /** First value past the level. */
  readonly size: number
}

/** How the levels of a geometry are read. Each level spans two segments of the one above it. */
export function levelReadings(g: Omit<LevelGeometry, 'degree' | 'scale'>): Reading[] {
  const n = levelCount(g)
  const first = g.ring - g.entryBits
  return Array.from({ length: n }, (_, k) => {
    const shift = k === n - 1 ? (g.fineShift ?? first) : first - k * (g.entryBits - 1)
    return { shift, step: 2 ** shift, size: 2 ** (shift + g.entryBits) }
  })
}

/**
 * Tables of a steep function (1/x, 1/sqrt(x)) over many octaves: polynomials on equal segments, about one an octave at
 * the bottom. With several levels the entries that stand for low values hold zero and a gate of one, and the next
 * level, which sees values mod its own range only, holds the function there: f = T0 + g0 (T1 + g1 (T2 + ...)).
 */
export class Levels {
  /** Words of an entry of the last level; the others have the gate besides. */
  readonly words: number
  readonly entries: number
  /** Width of a segment, level by level, as a power of two. */
  readonly shifts: readonly number[]
  readonly #f: (x: number) => number
  readonly #fitter: Fitter
  readonly #scale: number
  /** First value past a level. */
  readonly #sizes: readonly number[]

  /** @param f the function of an argument in units, at least 0 */
  constructor(f: (x: number) => number, g: LevelGeometry) {
    this.#f = f
    this.#fitter = new Fitter(g.degree)
    this.words = this.#fitter.words
    this.entries = 2 ** g.entryBits
    this.#scale = 2 ** g.scale
    const readings = levelReadings(g)
    this.shifts = readings.map(({ shift }) => shift)
    this.#sizes = readings.map(({ size }) => size)
    if (this.shifts.some((shift, k) => k > 0 && this.shifts[k - 1] >= shift + g.entryBits))
      throw new RangeError('inverse: two levels leave a gap')
  }

  /** Words of an entry of level k. */
  wordsOf(k: number): number {
    return k === this.shifts.length - 1 ? this.words : this.words + 1
  }

  /** Level k's entry for values from `low` on. */
  entry(k: number, low: number, out: Float64Array, at: number): void {
    const [gated, free] = this.#gates(k)
    const isGated = low <= gated || low > free
    if (!isGated) this.#fitter.fit(this.#f, low, 2 ** this.shifts[k], this.#scale, out, at)
    if (this.wordsOf(k) > this.words) out[at + this.words] = isGated ? 1 : 0
  }

  /**
   * Level k's tables for `count` masks from masks[first] on, mod 2^64: entry e holds the segment that starts at
   * e·2^shift + mask.
   */
  fill(
    k: number,
    masks: Float64Array,
    first: number,
    count: number,
    out: Lanes,
    kernels: TransformKernels,
  ): void {
    const { entries, words } = this
    const { nodes, matrix } = this.#fitter
    const f = this.#f
    const step = 2 ** this.shifts[k]
    const size = this.#sizes[k]
    const lows = new Float64Array(count * entries)
    for (let i = 0, at = 0; i < count; i++)
      for (let e = 0, low = masks[first + i] % size; e < entries; e++, low += step) {
        if (low >= size) low -= size
        lows[at++] = low
      }
    const samples = new Float64Array(lows.length * words)
    for (let i = 0, at = 0; i < lows.length; i++)
      for (let j = 0; j < words; j++) samples[at++] = f(lows[i] + nodes[j] * step)
    const fits = kernels.transformed(samples, matrix, words, this.#scale)
    if (k === this.shifts.length - 1) {
      out.set(fits)
      return
    }
    const [gated, free] = this.#gates(k)
    for (let i = 0, from = 0, to = 0; i < lows.length; i++, from += words, to += words + 1) {
      const isGated = lows[i] <= gated || lows[i] > free
      for (let w = 0; w < words; w++) out[to + w] = isGated ? 0n : fits[from + w]
      out[to + words] = isGated ? 1n : 0n
    }
  }

  /** Entries for values from `gated` or less on, or from more than `free` on, leave them to the next level. */
  #gates(k: number): [gated: number, free: number] {
    const last = this.shifts.length - 1
    // At the last level a segment over the end of the range is met at the end: the start, two segments long, is below
    // all values.
    if (k === last) return [-1, this.#sizes[k]]
    // The other levels keep their last segment free, so here such a segment is met at the start, and gated.
    const span = 2 ** this.shifts[k]
    const next = this.#sizes[k + 1] - (k + 1 === last ? 0 : 2 ** this.shifts[k + 1])
    return [next - span, this.#sizes[k] - span]
  }

  /** Where the segment in use starts: D with its low bits dropped, plus the mask, in level k's own range. */
  startOf(k: number, D: number, mask: number): number {
    return (D - (D % 2 ** this.shifts[k]) + mask) % this.#sizes[k]
  }
}
