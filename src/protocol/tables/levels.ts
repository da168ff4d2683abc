import { Fitter } from './fit.ts'

/** Geometry of a table over [0, 2^ring), coarse, with an optional fine level over its low end. */
export interface LevelGeometry {
  readonly ring: number
  readonly entryBits: number
  /** Values under 2^(fineShift + entryBits) are read at a fine level of as many entries. Absent: one level. */
  readonly fineShift?: number
  readonly degree: number
  /** Fraction bits of the coefficients. */
  readonly scale: number
}

/**
 * Tables of a steep function (1/x, 1/sqrt(x)) over many octaves: polynomials on equal segments, about one an octave at
 * the bottom. With two levels the coarse entries of low values hold zero and a gate of one, and the fine level, which
 * sees values mod its own range only, holds the function there: f = coarse + gate x fine.
 */
export class Levels {
  /** Words of a fine entry; a coarse one has the gate besides, where there are two levels. */
  readonly words: number
  readonly coarseWords: number
  readonly entries: number
  readonly coarseShift: number
  readonly fineShift?: number
  readonly #f: (x: number) => number
  readonly #fitter: Fitter
  readonly #scale: number
  readonly #size: number
  /** First value past the fine level. */
  readonly #fineSize: number

  /** @param f the function of an argument in units, at least 0 */
  constructor(f: (x: number) => number, g: LevelGeometry) {
    this.#f = f
    this.#fitter = new Fitter(g.degree)
    this.words = this.#fitter.words
    this.entries = 2 ** g.entryBits
    this.coarseShift = g.ring - g.entryBits
    this.fineShift = g.fineShift
    this.coarseWords = this.words + (g.fineShift === undefined ? 0 : 1)
    this.#scale = 2 ** g.scale
    this.#size = 2 ** g.ring
    this.#fineSize = 2 ** ((g.fineShift ?? 0) + g.entryBits)
    if (g.fineShift !== undefined && this.coarseShift >= g.fineShift + g.entryBits)
      throw new RangeError('inverse: the two levels leave a gap')
  }

  /** The coarse entry for values from `low` on. */
  coarse(low: number, out: Float64Array, at: number): void {
    const span = 2 ** this.coarseShift
    if (this.fineShift === undefined) {
      // A segment over the end of the range is met at the end: the start, two segments long, is below all values.
      this.#fitter.fit(this.#f, low, span, this.#scale, out, at)
      return
    }
    // Two levels keep the last segment free, so here such a segment is met at the start, and gated.
    const isGated = low + span <= this.#fineSize || low + span > this.#size
    if (!isGated) this.#fitter.fit(this.#f, low, span, this.#scale, out, at)
    out[at + this.words] = isGated ? 1 : 0
  }

  /** The fine entry for values from `low` on. */
  fine(low: number, out: Float64Array, at: number): void {
    this.#fitter.fit(this.#f, low, 2 ** (this.fineShift ?? 0), this.#scale, out, at)
  }

  /** The coarse table of a mask: entry e holds the segment that starts at e·2^shift + mask. */
  coarseTable(mask: number, out: Float64Array, at: number): void {
    const step = 2 ** this.coarseShift
    for (let e = 0; e < this.entries; e++)
      this.coarse((e * step + mask) % this.#size, out, at + e * this.coarseWords)
  }

  /** The fine table of a mask. */
  fineTable(mask: number, out: Float64Array, at: number): void {
    const step = 2 ** (this.fineShift ?? 0)
    for (let e = 0; e < this.entries; e++)
      this.fine((e * step + mask) % this.#fineSize, out, at + e * this.words)
  }

  /** Where the segment in use starts: D with its low bits dropped, plus the mask, in the level's own range. */
  startOf(level: 'coarse' | 'fine', D: number, mask: number): number {
    const [shift, size] =
      level === 'coarse' ? [this.coarseShift, this.#size] : [this.fineShift ?? 0, this.#fineSize]
    return (D - (D % 2 ** shift) + mask) % size
  }
}
