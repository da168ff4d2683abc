import type { Kernels, RotatingRows } from '../../kernels/kernels.ts'
import type { DealtRotations } from '../plan.ts'
import { fromFloats, type Lanes } from '../ring.ts'
import { Fitter } from './fit.ts'

/**
 * The polynomial pieces of one function for every place that a mask can put the segments' borders: coefficients of the
 * segment that starts `rest` units above k·2^shift. Masks repeat the same 2^shift places, so each is fitted once.
 */
export class Segments {
  readonly words: number
  readonly #entries: number
  readonly #shift: number
  readonly #scratch: Float64Array
  /** Coefficients by place, entry and word; one array, because a hundred thousand would keep the collector busy. */
  #coefficients?: Lanes
  #isFitted = new Uint8Array()
  /** How many places are fitted, here and in what kernels keep. */
  #places = 0
  readonly #kept = new WeakMap<Kernels, { rows: RotatingRows; places: number }>()
  readonly #fit: (low: number, out: Float64Array, at: number) => void

  /**
   * @param ring log2 of the argument's range, in units of 2^-frac; arguments are signed
   * @param entryBits log2 of the number of segments
   * @param scale fraction bits of the coefficients
   * @param limit arguments are within +-limit; a segment over the end of the range is taken at the end that they reach,
   *   and all others at what they stand for
   */
  constructor(
    f: (x: number) => number,
    o: { ring: number; frac: number; entryBits: number; degree: number; scale: number; limit: number },
  ) {
    const fitter = new Fitter(o.degree)
    this.words = fitter.words
    this.#entries = 2 ** o.entryBits
    this.#shift = o.ring - o.entryBits
    this.#scratch = new Float64Array(this.#entries * this.words)
    const unit = 2 ** -o.frac
    const size = 2 ** o.ring
    this.#fit = (low, out, at) => {
      const width = 2 ** this.#shift
      const isNegative = low >= size / 2 || low + width - size > -o.limit / unit
      fitter.fit(f, (isNegative ? low - size : low) * unit, width * unit, 2 ** o.scale, out, at)
    }
  }

  /** Fits every place at once. */
  fitAll(): void {
    for (let rest = 0; rest < 2 ** this.#shift; rest++) this.at(rest)
  }

  /** Coefficients of all segments that start `rest` units above a border, `words` each, mod 2^64. */
  at(rest: number): Lanes {
    const from = rest * this.#scratch.length
    return this.#fitted(rest).subarray(from, from + this.#scratch.length)
  }

  /** The coefficients of all places, with those of one surely there. */
  #fitted(rest: number): Lanes {
    const per = this.#scratch.length
    if (!this.#coefficients) {
      this.#coefficients = new BigUint64Array(2 ** this.#shift * per)
      this.#isFitted = new Uint8Array(2 ** this.#shift)
    }
    if (this.#isFitted[rest] === 0) {
      for (let k = 0; k < this.#entries; k++)
        this.#fit(k * 2 ** this.#shift + rest, this.#scratch, k * this.words)
      this.#coefficients.set(fromFloats(this.#scratch), rest * per)
      this.#isFitted[rest] = 1
      this.#places++
    }
    return this.#coefficients
  }

  /** The whole tables of masks of at most 31 bits, as rows that the kernels keep and rotate. */
  rotations(masks: Uint32Array): DealtRotations {
    const low = 2 ** this.#shift - 1
    for (let i = 0; i < masks.length; i++) this.#fitted(masks[i] & low)
    return {
      masks,
      kept: (kernels) => this.#keep(kernels),
      fill: (first, count, out) => this.tables(masks, first, count, out),
    }
  }

  /** All places in the kernels' memory, with those that were fitted since they were copied there. */
  #keep(kernels: Kernels): RotatingRows {
    const kept = this.#kept.get(kernels)
    if (kept?.places === this.#places) return kept.rows
    kept?.rows.free()
    const spec = { shift: this.#shift, entries: this.#entries, words: this.words }
    const rows = kernels.keepRotating(this.#fitted(0), spec)
    this.#kept.set(kernels, { rows, places: this.#places })
    return rows
  }

  /** The whole tables of `count` masks, mod 2^64: entry e of mask a holds the segment that starts at e·2^shift + a. */
  tables(masks: Uint32Array, first: number, count: number, out: Lanes): void {
    const step = 2 ** this.#shift
    const per = this.#scratch.length
    let to = 0
    for (let i = first; i < first + count; i++) {
      const rest = masks[i] % step
      const coefficients = this.#fitted(rest)
      const start = rest * per
      const cut = start + ((masks[i] - rest) / step) * this.words
      out.set(coefficients.subarray(cut, start + per), to)
      out.set(coefficients.subarray(start, cut), to + start + per - cut)
      to += per
    }
  }
}

const shared = new WeakMap<(x: number) => number, Map<string, Segments>>()

/** The pieces of a function, shared by all plans that tabulate it alike. */
export function segmentsOf(f: (x: number) => number, o: ConstructorParameters<typeof Segments>[1]): Segments {
  const own = shared.get(f) ?? new Map<string, Segments>()
  shared.set(f, own)
  const key = Object.values(o).join()
  const segments = own.get(key) ?? new Segments(f, o)
  own.set(key, segments)
  return segments
}
