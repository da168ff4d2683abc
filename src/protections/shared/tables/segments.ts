import { Fitter } from './fit.ts'
import { Rotations } from './rotations.ts'

/** Which segments a function is tabulated in. */
export interface SegmentSpec {
  /** log2 of the argument's range, in units of 2^-frac; arguments are signed. */
  readonly ring: number
  readonly frac: number
  /** log2 of the number of segments. */
  readonly entryBits: number
  readonly degree: number
  /** Fraction bits of the coefficients. */
  readonly scale: number
  /**
   * Arguments are within +-limit; a segment over the end of the range is taken at the end that they reach, and all
   * others at what they stand for.
   */
  readonly limit: number
}

const shared = new WeakMap<(x: number) => number, Map<string, Rotations>>()

/**
 * The polynomial pieces of a function, for every place of the segments' borders; shared by all plans that tabulate it
 * alike.
 */
export function segmentsOf(f: (x: number) => number, o: SegmentSpec): Rotations {
  const own = shared.get(f) ?? new Map<string, Rotations>()
  shared.set(f, own)
  const key = Object.values(o).join()
  const segments = own.get(key) ?? fitted(f, o)
  own.set(key, segments)
  return segments
}

function fitted(f: (x: number) => number, o: SegmentSpec): Rotations {
  const fitter = new Fitter(o.degree)
  const { words } = fitter
  const entries = 2 ** o.entryBits
  const shift = o.ring - o.entryBits
  const unit = 2 ** -o.frac
  const size = 2 ** o.ring
  const width = 2 ** shift
  return new Rotations({ shift, entries, words }, (place, out) => {
    for (let k = 0; k < entries; k++) {
      const low = k * width + place
      const isNegative = low >= size / 2 || low + width - size > -o.limit / unit
      fitter.fit(f, (isNegative ? low - size : low) * unit, width * unit, 2 ** o.scale, out, k * words)
    }
  })
}
