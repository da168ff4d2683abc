/** Segments and degree of an activation's table: the fewest dealt words that meet the error. */
import { Fitter } from '../tables/fit.ts'

export interface TableShape {
  readonly entryBits: number
  readonly degree: number
  readonly error: number
}

/** Largest error of a fit with these segments over [-2^half, 2^half), at intervals shifted by fractions of one. */
function worst(f: (x: number) => number, half: number, entryBits: number, degree: number): number {
  const fitter = new Fitter(degree)
  const width = 2 ** (half + 1 - entryBits)
  const c = new Float64Array(fitter.words)
  let error = 0
  for (let segment = 0; segment < 2 ** entryBits; segment++)
    for (const shift of [0, 0.25, 0.5, 0.75]) {
      const low = -(2 ** half) + (segment + shift) * width
      fitter.fit(f, low, width, 2 ** 40, c, 0)
      for (let i = 0; i <= 24; i++) {
        const x = (2 * i) / 24 - 1
        let y = 0
        for (let k = 0; k < c.length; k++)
          y += (c[k] / 2 ** 40) * Math.cos(k * Math.acos(Math.max(-1, Math.min(1, x))))
        error = Math.max(error, Math.abs(y - f(low + ((x + 1) / 2) * width)))
      }
    }
  return error
}

const memo = new Map<string, TableShape>()

/** For arguments in [-2^half, 2^half). Degrees 3..9, 2..256 segments. */
export function activationTable(
  name: string,
  f: (x: number) => number,
  half: number,
  tolerance: number,
): TableShape {
  const key = `${name} ${half} ${tolerance}`
  const known = memo.get(key)
  if (known) return known
  let best: TableShape | undefined
  let words = Infinity
  for (let degree = 3; degree <= 9; degree++)
    for (let entryBits = 1; entryBits <= 8; entryBits++) {
      const cost = 2 ** entryBits * (degree + 1)
      if (cost >= words) break
      const error = worst(f, half, entryBits, degree)
      if (error > tolerance) continue
      words = cost
      best = { entryBits, degree, error }
    }
  if (!best) throw new RangeError(`no table for '${name}' over +-2^${half} reaches an error of ${tolerance}`)
  memo.set(key, best)
  return best
}
