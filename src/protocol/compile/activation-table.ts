/** Range, segments and degree of an activation's table: the fewest dealt words that meet the error. */
import { Fitter } from '../tables/fit.ts'

export interface TableShape {
  /** The table spans [-2^half, 2^half). */
  readonly half: number
  readonly entryBits: number
  readonly degree: number
  readonly error: number
}

/** Largest error over [-limit, limit] with segments of this width, borders shifted by fractions of one. */
function worst(
  f: (x: number) => number,
  limit: number,
  width: number,
  degree: number,
  enough: number,
): number {
  const fitter = new Fitter(degree)
  const c = new Float64Array(fitter.words)
  let error = 0
  for (const shift of [0, 0.25, 0.5, 0.75])
    for (let low = -limit - shift * width; low < limit; low += width) {
      fitter.fit(f, low, width, 2 ** 40, c, 0)
      for (let i = 0; i <= 24; i++) {
        const x = (2 * i) / 24 - 1
        let y = 0
        for (let k = 0; k < c.length; k++)
          y += (c[k] / 2 ** 40) * Math.cos(k * Math.acos(Math.max(-1, Math.min(1, x))))
        error = Math.max(error, Math.abs(y - f(low + ((x + 1) / 2) * width)))
      }
      if (error > enough) return error
    }
  return error
}

const memo = new Map<string, TableShape>()

/**
 * For arguments in [-limit, limit]. A segment that reaches over the end of the range comes back at the other end, so
 * what the range has to spare must be as wide as a segment. Degrees 3..12, 2..256 segments.
 */
export function activationTable(
  name: string,
  f: (x: number) => number,
  limit: number,
  tolerance: number,
): TableShape {
  const key = `${name} ${limit} ${tolerance}`
  const known = memo.get(key)
  if (known) return known
  const least = Math.max(0, Math.ceil(Math.log2(limit)))
  let best: TableShape | undefined
  let words = Infinity
  for (const half of [least, least + 1])
    for (let degree = 3; degree <= 12; degree++)
      for (let entryBits = 1; entryBits <= 8; entryBits++) {
        const cost = 2 ** entryBits * (degree + 1)
        if (cost >= words) break
        const width = 2 ** (half + 1 - entryBits)
        if (width > 2 * (2 ** half - limit)) continue
        const error = worst(f, limit, width, degree, tolerance)
        if (error > tolerance) continue
        words = cost
        best = { half, entryBits, degree, error }
      }
  if (!best) throw new RangeError(`no table for '${name}' over +-${limit} reaches an error of ${tolerance}`)
  memo.set(key, best)
  return best
}
